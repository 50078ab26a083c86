// The path of a search that all its parts on a page follow, and the node at its chosen step.

/** The rows from the root to the end of the followed path, and the row of its chosen step. */
const focusOn = (parents, { end, step }) => {
  const rows = []
  for (let at = end; at >= 0; at = parents[at]) rows.unshift(at)
  return { rows, step, node: rows[Math.min(step, rows.length - 1)], ended: step > rows.length - 1 }
}

/** Draws what is followed of a search: now what was told last, else what its data say, then whatever is told. */
const followNodes = (data, listens, draw) => {
  let drawn
  const redraw = ({ end, step, label, note }) => {
    const asked = JSON.stringify([end, step, label, note])
    if (asked !== drawn) draw({ end, step, label, note })
    drawn = asked
  }
  const isOurs = (followed) => followed?.key === data.key && followed.id === data.id
  const follow = ({ detail }) => { if (isOurs(detail)) redraw(detail) }
  const told = window.reg4recFollowed?.get(data.key)
  window.addEventListener("reg4rec:followed", follow, listens)
  redraw(isOurs(told) ? told : data)
}

/** Asks for another node to be followed, by what changes: the path and its end, or the step. */
const wish = (detail) => window.dispatchEvent(new CustomEvent("reg4rec:wish", { detail }))
