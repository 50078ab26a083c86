// Which path of a search is followed, and how far: told by the page, and at once by whoever wishes for another one.
const told = (window.reg4recFollowed ??= new Map())
const tell = (followed) => {
  told.set(followed.key, followed)
  window.dispatchEvent(new CustomEvent("reg4rec:followed", { detail: followed }))
}
export default function ({ data, parentElement, setStateValue }) {
  const known = told.get(data.key)
  const last = Math.max(data.turn, known?.turn ?? 0)
  // What the page says of a wish before the last one would lead back for a moment.
  if (known?.id !== data.id || data.turn === last) tell({ ...data, turn: last })
  const wished = ({ detail }) => {
    if (detail.key !== data.key) return
    const followed = { ...told.get(data.key), label: "", note: "", ...detail }
    followed.turn += 1
    tell(followed)
    const { path, step, turn } = followed
    setStateValue("moved", { path, step, turn })
  }
  const listens = listening(parentElement)
  window.addEventListener("reg4rec:wish", wished, listens)
  return () => listens.abort()
}
