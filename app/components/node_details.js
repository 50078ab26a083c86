// Three panels on the chosen node: what its code stands for, the items it still allows, the codes it was weighed against.
const tableOf = (heads, numbers, rows, chosen = -1) => {
  const kind = (column) => (numbers.includes(column) ? ' class="num"' : "")
  const cells = (row) => row.map((text, column) => `<td${kind(column)}>${escaped(text)}</td>`).join("")
  const body = rows.map((row, at) => `<tr${at === chosen ? ' class="chosen"' : ""}>${cells(row)}</tr>`).join("")
  const head = heads.map((name, column) => `<th${kind(column)}>${escaped(name)}</th>`).join("")
  return `<div class="r4-scroll" tabindex="0"><table class="r4-table"><thead><tr>${head}</tr></thead>
    <tbody>${body}</tbody></table></div>`
}

const cardOf = ({ codes, cards, items, headings }, node) => {
  const card = cards[codes[node]]
  const lines = card ? card.about : [["Move on a step to see what the first code stands for."]]
  const rows = lines.map((line) => `<tr>${line.map((text, at) =>
    `<td${at === 0 && card ? ' class="soft"' : ""}>${escaped(text)}</td>`).join("")}</tr>`).join("")
  const typical = card ? `<div class="soft">Most bought of them</div><table class="r4-table">${card.typical.map((place) =>
    `<tr><td>${escaped(items[place][0])}</td></tr>`).join("")}</table>` : ""
  const about = card ? `code ${card.code} · ${card.load} items carry it` : "No code chosen yet"
  return `<div><div class="r4-carrier"><b>${escaped(headings[node])}</b> <span class="soft">${about}</span></div>
    <div class="r4-scroll" tabindex="0"><table class="r4-table">${rows}</table>${typical}</div></div>`
}

/** The score table: every code tried from the node's parent, likeliest first. */
const triedOf = (data, node) => {
  const parent = data.parents[node]
  const tried = parent < 0 ? [node] : data.order.filter((row) => data.parents[row] === parent)
  const jsOf = ({ js }) => (js === null ? "–" : js.toFixed(3))
  const rows = tried.map((row) => [
    data.headings[row], data.chances[row], data.left[row], data.scores[row], jsOf(data.shifts[row]), data.kinds[row],
  ])
  return tableOf(["code", "probability", "items", "score", "js", "fate"], [1, 2, 3, 4], rows, tried.indexOf(node))
}

const allowedOf = ({ allowed, items, ranks }, node) =>
  tableOf(["rank", "title", "brand"], [0], allowed[node].map((place) => [ranks[place] ?? "", ...items[place]]))

const detailsOf = (data, node) => [
  ["What this code stands for", cardOf(data, node)],
  [`Items it still allows: ${data.counts[node]}`, allowedOf(data, node)],
  ["What it was weighed against", triedOf(data, node)],
].map(([heading, body]) => `<section><h5>${escaped(heading)}</h5><div class="r4">${body}</div></section>`).join("")

export default function ({ data: { told, codes, ...followed }, parentElement }) {
  const data = { ...JSON.parse(told), ...JSON.parse(codes), ...followed }
  const panels = parentElement.querySelector(".r4-panels")
  const listens = listening(parentElement)
  followNodes(data, listens, (followed) => {
    panels.innerHTML = detailsOf(data, focusOn(data.parents, followed).node)
  })
  return () => listens.abort()
}
