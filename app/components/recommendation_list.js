const part = (tag, className, text) => {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}
const chip = (code) => {
  const element = part("span", "chip" + (code.decides ? "" : " forced"))
  element.append(part("b", "", code.facet))
  if (code.decides) element.append(" " + code.name)
  element.title = `facet ${code.facet}: ${code.name} (${code.detail})`
  return element
}
const cells = (entry) => {
  const item = part("div")
  item.append(part("div", "title", entry.title))
  if (entry.hit) item.append(part("div", "hit", "★ this is what was bought next"))
  const about = part("div", "", entry.brand || "–")
  about.append(part("div", "soft", entry.category))
  const scores = part("div", "num", entry.score)
  for (const { name, value } of entry.parts) {
    const line = part("div", "part soft")
    line.append(part("span", "", name), part("span", "", value))
    if (name === "bought next") line.title = entry.sources
    scores.append(line)
  }
  const codes = part("div", "chips")
  if (entry.codes.length) codes.append(...entry.codes.map(chip))
  else codes.append(part("span", "soft", "no path of its own: a neighbour of the best path's item"))
  return [part("div", "num", String(entry.rank)), item, about, scores, codes]
}
const mark = (rows, entries, followed) => {
  rows.forEach((row, i) => {
    row.classList.toggle("followed", entries[i].end === followed.end)
    row.querySelectorAll(".chip").forEach((chip, at) => chip.classList.toggle("now", at + 1 === followed.step))
  })
}
export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".grid")
  root.replaceChildren(...data.heads.map((text, i) => part("div", "head" + (i === 0 || i === 3 ? " num" : ""), text)))
  const rows = data.entries.map((entry) => {
    const row = part("div", "row")
    row.append(...cells(entry))
    if (entry.path) {
      const first = row.firstChild
      first.tabIndex = 0
      first.setAttribute("role", "button")
      first.setAttribute("aria-label", `follow the path to ${entry.title}`)
      const follow = () => wish({ key: data.key, path: entry.path, end: entry.end })
      row.onclick = follow
      first.onkeydown = (event) => { if (event.key === "Enter") follow() }
    }
    root.append(row)
    return row
  })
  const listens = listening(parentElement)
  followNodes(data, listens, (followed) => mark(rows, data.entries, followed))
  return () => listens.abort()
}
