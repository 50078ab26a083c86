// The step scrubber, and under it what is told of the node at the chosen step. A step needs no answer of the server.
const OWN_KEYS = 'input, textarea, select, [contenteditable="true"], [role=slider], [role=radio], [role=tab], ' +
  '[role=option], [role=menuitem], [role=combobox], [role=grid], canvas'
const NAMES = ["now", "step before"]

const sharesOf = ({ shares, finest, categories }) => {
  const signs = atob(shares)
  const bytes = new Uint8Array(signs.length)
  for (let at = 0; at < signs.length; at += 1) bytes[at] = signs.charCodeAt(at)
  const numbers = new Uint16Array(bytes.buffer)
  return (row, category) => numbers[row * categories.length + category] / finest
}

/** The belief at the chosen step beside the one before it; the same categories in the same order along a path. */
const beliefRows = (beliefs, share, steps, { rows, step }) => {
  const believed = rows.filter((row) => beliefs.row[row] >= 0)
  if (!believed.length) return []
  const seen = believed.filter((row) => steps[row] <= step)
  const [now, before] = [seen.at(-1) ?? believed[0], seen.at(-2) ?? seen.at(-1) ?? believed[0]].map((row) => beliefs.row[row])
  const most = beliefs.categories.map((_, category) => Math.max(...believed.map((row) => share(beliefs.row[row], category))))
  const shown = most.map((_, category) => category).sort((a, b) => most[b] - most[a] || a - b).slice(0, beliefs.shown)
  const found = shown.map((category) => ({
    category: beliefs.categories[category],
    now: share(now, category),
    before: share(before, category),
  }))
  if (shown.length === most.length) return found
  const rest = (name) => Math.max(0, 1 - found.reduce((sum, row) => sum + row[name], 0))
  return [...found, { category: beliefs.others, now: rest("now"), before: rest("before") }]
}

const factsOf = (data, node) => [
  ["items left", `${data.left[Math.max(data.parents[node], 0)]} → ${data.left[node]}`],
  ["score", data.scores[node]],
  ["probability of the code", data.chances[node]],
  ["of the path so far", data.path_chances[node]],
]

const panelOf = (data, share, followed) => {
  const focus = focusOn(data.parents, followed)
  const { node, ended } = focus
  const bars = {
    title: (ended ? data.ended_titles : data.titles)[node],
    names: NAMES,
    rows: beliefRows(data.beliefs, share, data.steps, focus),
  }
  const reason = (followed.note || (ended ? data.ended[node] : "")) + data.reasons[node]
  return beliefBars(bars) + jsGauge(data.shifts[node]) + nodeSummary(reason, factsOf(data, node))
}

export default function ({ data: { told, ...followed }, parentElement }) {
  const data = { ...JSON.parse(told), ...followed }
  const [scrubber, panel] = [".r4-scrubber", ".r4-stack"].map((part) => parentElement.querySelector(part))
  const [back, forth] = scrubber.querySelectorAll("button")
  const [slider, said] = [scrubber.querySelector("input"), scrubber.querySelector("output")]
  const share = sharesOf(data.beliefs)
  for (const name in data.colours) panel.style.setProperty(name, data.colours[name])
  slider.max = data.last
  const move = (step) => {
    const bound = Math.min(Math.max(step, 0), data.last)
    if (bound !== Number(slider.dataset.step)) wish({ key: data.key, step: bound })
  }
  const listens = listening(parentElement)
  followNodes(data, listens, (followed) => {
    panel.innerHTML = panelOf(data, share, followed)
    slider.value = followed.step
    slider.dataset.step = followed.step
    said.textContent = `Step ${followed.step} of ${data.last}`
  })
  back.onclick = () => move(Number(slider.dataset.step) - 1)
  forth.onclick = () => move(Number(slider.dataset.step) + 1)
  slider.oninput = () => wish({ key: data.key, step: Number(slider.value) })
  const pressed = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const others = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented
    if (!by || others || event.composedPath()[0].closest?.(OWN_KEYS)) return
    event.preventDefault()
    move(Number(slider.dataset.step) + by)
  }
  window.addEventListener("keydown", pressed, listens)
  return () => listens.abort()
}
