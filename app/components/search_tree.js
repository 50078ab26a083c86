const SVG = "http://www.w3.org/2000/svg"
const RINGS = { only: "circle", fate: "rect" }
const MARGIN = { left: 22, right: 232, top: 36, bottom: 12 }

const shape = (symbol, size) => {
  const r = size / 2
  if (symbol === "triangle") return `M0 ${-r}L${r} ${r * 0.85}H${-r}Z`
  if (symbol === "diamond") return `M0 ${-r}L${r} 0L0 ${r}L${-r} 0Z`
  if (symbol === "rect") return `M${-r * 0.85} ${-r * 0.85}H${r * 0.85}V${r * 0.85}H${-r * 0.85}Z`
  return `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`
}
// Draws what is asked for in order over what was drawn before: most of a tree stays as it is from step to step.
const pen = (svg) => {
  let next = svg.firstElementChild
  const draw = (tag, attributes, text = "") => {
    let element = next
    if (element?.tagName === tag) next = element.nextElementSibling
    else svg.insertBefore((element = document.createElementNS(SVG, tag)), next)
    for (const name of element.getAttributeNames()) if (!(name in attributes)) element.removeAttribute(name)
    for (const name in attributes) {
      if (element.getAttribute(name) !== String(attributes[name])) element.setAttribute(name, attributes[name])
    }
    if (element.textContent !== text) element.textContent = text
    return element
  }
  const lift = () => { while (next) { const gone = next; next = gone.nextElementSibling; gone.remove() } }
  return { draw, lift }
}

function drawTree(svg, data, followed, width) {
  const { rows, node: chosenRow } = focusOn(data.nodes.map((node) => node.parent), followed)
  const path = new Set(rows)
  const lookOf = (row) => data.looks[path.has(row) ? "path" : "aside"][data.nodes[row].step > followed.step ? "later" : "now"]
  const sizeOf = (row) => data.nodes[row].sizes[row === chosenRow ? "chosen" : path.has(row) ? "path" : "aside"]
  const labelOf = (row) => data.nodes[row].label || (row === followed.end ? followed.label : "")
  const now = data.nodes[chosenRow]
  const place = (node) => [
    MARGIN.left + node.x * (width - MARGIN.left - MARGIN.right),
    MARGIN.top + node.y * (data.height - MARGIN.top - MARGIN.bottom),
  ]
  const { draw, lift } = pen(svg)
  svg.setAttribute("height", data.height)
  svg.setAttribute("aria-label", `${data.alt} Chosen at step ${now.step}: ${now.heading}.`)
  for (const column of data.columns.filter((column) => column.step === now.step)) {
    const [x] = place({ x: column.x, y: 0 })
    draw("line", { class: "column", x1: x, x2: x, y1: 22, y2: data.height - 4 })
  }
  for (const column of data.columns) {
    const [x] = place({ x: column.x, y: 0 })
    const crowded = data.columns.some((other) => other !== column && Math.abs(place({ x: other.x, y: 0 })[0] - x) < 28)
    const name = crowded ? column.name.replace("step ", "") : column.name
    draw("text", { class: column.step === now.step ? "head chosen" : "head", x, y: 14 }, name)
  }
  const links = data.nodes.map((node, row) => {
    const { link } = lookOf(row)
    if (node.parent < 0) return null
    const [[x1, y1], [x2, y2]] = [place(data.nodes[node.parent]), place(node)]
    return draw("path", {
      class: "link",
      d: `M${x1} ${y1}C${x1 + (x2 - x1) * 0.4} ${y1} ${x2 - (x2 - x1) * 0.4} ${y2} ${x2} ${y2}`,
      stroke: node.colour,
      "stroke-width": link.width,
      "stroke-opacity": node.hidden ? 0 : link.opacity,
      "stroke-dasharray": node.dash,
    })
  })
  const marks = data.nodes.map((node, row) => {
    const [x, y] = place(node)
    const [size, chosen, label] = [sizeOf(row), row === chosenRow, labelOf(row)]
    if (node.ring && size >= 1) {
      const place = `translate(${x} ${y})`
      draw("path", { class: `ring ${node.ring}`, d: shape(RINGS[node.ring], size + 7), transform: place })
    }
    const mark = draw("path", {
      class: `node${node.hollow ? " hollow" : ""}${chosen ? " chosen" : ""}${size < 1 ? " gone" : ""}`,
      d: shape(node.symbol, size),
      transform: `translate(${x} ${y})`,
      opacity: chosen ? 1 : lookOf(row).opacity ?? node.opacity,
      stroke: node.colour,
      "stroke-width": node.hollow ? 1.5 : 0,
      ...(node.hollow ? {} : { fill: node.colour }),
      role: "button",
      "aria-label": `${node.heading}: ${node.reason}`,
      "data-path": node.path,
      tabindex: chosen ? 0 : -1,
    })
    mark.row = row
    if (label) {
      const aside = node.ring ? Math.max(12, size / 2 + 8) : 12
      const strong = path.has(row) || node.hit
      draw("text", { class: strong ? "label strong" : "label", x: x + aside, y }, label).row = row
    }
    return mark
  })
  lift()
  return { links, marks, place, chosen: marks[chosenRow] }
}

function showTip(tip, node, [x, y], width) {
  tip.replaceChildren(
    ...[["b", "", node.heading], ["div", "numbers", node.numbers], ["div", "", node.reason]].map(([tag, name, text]) => {
      const element = document.createElement(tag)
      element.className = name
      element.textContent = text
      return element
    }),
  )
  tip.hidden = false
  tip.style.left = `${Math.max(0, Math.min(x + 14, width - tip.offsetWidth))}px`
  tip.style.top = `${y > tip.offsetHeight + 20 ? y - tip.offsetHeight - 14 : y + 16}px`
}

export default function ({ data: { drawing, ...followed }, parentElement }) {
  const data = { ...JSON.parse(drawing), ...followed }
  const svg = parentElement.querySelector("svg")
  const tip = parentElement.querySelector(".tip")
  let drawn
  let width
  // What is followed is told beside the tree, by the page or by a click, and may arrive before the tree it is about.
  let shown
  const redraw = (followed) => {
    shown = followed
    const focused = parentElement.activeElement?.classList?.contains("node") ?? svg.contains(document.activeElement)
    width = svg.parentElement.clientWidth
    if (!width) return
    drawn = drawTree(svg, data, followed, width)
    if (focused) drawn.chosen.focus({ preventScroll: true })
  }
  const choose = (row) => {
    const { step, end, path } = data.nodes[row]
    wish({ key: data.key, step, end, path })
  }
  const hover = (row) => {
    drawn.links.forEach((link) => link?.classList.remove("hovered"))
    tip.hidden = row === undefined
    if (row === undefined) return
    for (let at = row; data.nodes[at].parent >= 0; at = data.nodes[at].parent) drawn.links[at].classList.add("hovered")
    showTip(tip, data.nodes[row], drawn.place(data.nodes[row]), width)
  }
  const neighbour = (row, by) => {
    const column = data.nodes.map((node, at) => at).filter((at) => data.nodes[at].x === data.nodes[row].x && !data.nodes[at].hidden)
    column.sort((a, b) => data.nodes[a].y - data.nodes[b].y)
    return column[column.indexOf(row) + by]
  }
  svg.onclick = (event) => { if (event.target.row !== undefined) choose(event.target.row) }
  svg.onpointerover = (event) => hover(event.target.row)
  svg.onpointerleave = () => hover(undefined)
  svg.onkeydown = (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key]
    const next = by && event.target.row !== undefined ? neighbour(event.target.row, by) : undefined
    if (next === undefined) return
    event.preventDefault()
    choose(next)
  }
  const listens = listening(parentElement)
  followNodes(data, listens, redraw)
  observing(listens, svg.parentElement, () => { if (svg.parentElement.clientWidth !== width) redraw(shown) })
  return () => listens.abort()
}
