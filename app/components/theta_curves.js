const SVG = "http://www.w3.org/2000/svg"
const ROOM = { top: 26, bottom: 20, right: 12 }
const LETTER = 6.2
const REACH = 40
const OUTLINES = {
  circle: "M-3.5 0A3.5 3.5 0 1 1 3.5 0A3.5 3.5 0 1 1 -3.5 0Z",
  triangle: "M0 -4L4 3.4H-4Z",
  diamond: "M0 -4.4L4.4 0L0 4.4L-4.4 0Z",
  rect: "M-3.3 -3.3H3.3V3.3H-3.3Z",
}
const POINT = 5.5
const STEPS = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }

const element = (parent, tag, className, text) => {
  const made = document.createElement(tag)
  made.className = className
  if (text !== undefined) made.textContent = text
  parent.append(made)
  return made
}
const drawn = (parent, tag, attributes, text) => {
  const made = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value)
  if (text !== undefined) made.textContent = text
  parent.append(made)
  return made
}
const px = (number) => Number(number.toFixed(1))
const between = ({ low, high }, from, to) => (value) => from + ((value - low) / (high - low)) * (to - from)

/** A panel: what stands still is drawn for a width; the mark of theta, a layer of its own, the ring and the spot only move. */
class Panel {
  constructor(parent, panel, height, own, tip) {
    Object.assign(this, { panel, height, own, tip })
    const frame = element(parent, "div", "frame")
    this.svg = drawn(frame, "svg", { class: "panel", height, role: "img", tabindex: 0, "aria-label": panel.alt })
    if (!panel.front) this.mark = element(frame, "div", "theta")
    this.listen()
  }

  layOut(width) {
    const { panel, height } = this
    this.svg.replaceChildren()
    const named = panel.x.name ? 18 : 0
    const left = Math.max(...panel.y.ticks.map(([, name]) => name.length)) * LETTER + 8 + named
    this.row = undefined
    Object.assign(this, { left, right: width - ROOM.right, top: panel.title ? ROOM.top : 12, foot: height - ROOM.bottom - named })
    this.x = between(panel.x, left, this.right)
    this.y = between(panel.y, this.foot, this.top)
    this.spots = panel.points.map(([x, y]) => [this.x(x), this.y(y)])
    this.drawAxes(height)
    if (panel.front) this.drawFront()
    else this.drawLine()
    this.spot = drawn(this.svg, "circle", { class: "spot", r: 7, hidden: "" })
  }

  drawAxes(height) {
    const { svg, panel, left, right, top, foot } = this
    const middle = px((left + right) / 2)
    if (panel.title) drawn(svg, "text", { class: "title", x: middle, y: 14 }, panel.title)
    for (const [value, name] of panel.y.ticks) {
      const y = px(this.y(value))
      drawn(svg, "path", { class: value === panel.y.low ? "base" : "grid", d: `M${left} ${y}H${right}` })
      drawn(svg, "text", { class: "end", x: left - 6, y: y + 4 }, name)
    }
    for (const [value, name] of panel.x.ticks) drawn(svg, "text", { class: "middle", x: px(this.x(value)), y: foot + 15 }, name)
    if (!panel.x.name) return
    drawn(svg, "text", { class: "middle", x: middle, y: height - 4 }, panel.x.name)
    drawn(svg, "text", { class: "middle", transform: `translate(11 ${px((top + foot) / 2)})rotate(-90)` }, panel.y.name)
  }

  drawLine() {
    const { svg, panel, top, foot } = this
    const { colour, hollow } = panel
    const at = (x, y) => `${px(this.x(x))} ${px(this.y(y))}`
    if (panel.band.length) {
      const around = [...panel.band.map(([x, low]) => at(x, low)), ...panel.band.map(([x, , high]) => at(x, high)).reverse()]
      drawn(svg, "path", { class: "band", fill: colour, d: `M${around.join("L")}Z` })
    }
    const upright = `M0 ${top}V${foot}`
    if (this.own !== null) drawn(svg, "path", { class: "own", d: upright, transform: `translate(${px(this.x(this.own))} 0)` })
    drawn(svg, "path", { class: "curve", stroke: colour, "stroke-dasharray": panel.dash, d: `M${this.spots.map((spot) => spot.map(px).join(" ")).join("L")}` })
    const paint = hollow ? { fill: "var(--st-background-color)", stroke: colour, "stroke-width": 1.5 } : { fill: colour }
    for (const [x, y] of this.spots) drawn(svg, "path", { d: OUTLINES[panel.symbol], transform: `translate(${px(x)} ${px(y)})`, ...paint })
    this.mark.style.top = `${top}px`
    this.mark.style.height = `${foot - top}px`
  }

  drawFront() {
    const { svg, panel } = this
    const taken = this.spots.map(([x, y]) => [x - POINT, y - POINT, x + POINT, y + POINT])
    this.spots.forEach(([x, y], row) => drawn(svg, "circle", {
      cx: px(x), cy: px(y), r: POINT, stroke: panel.colour, "stroke-width": 1.5, fill: panel.front[row] ? panel.colour : "var(--st-background-color)",
    }))
    this.ring = drawn(svg, "circle", { class: "ring", r: POINT })
    const best = panel.front.map((is, row) => (is ? row : -1)).filter((row) => row >= 0)
    const others = panel.front.map((is, row) => (is ? -1 : row)).filter((row) => row >= 0)
    this.labels = []
    for (const row of best) this.labels[row] = this.label(row, taken, true)
    for (const row of others) this.labels[row] = this.label(row, taken, false)
  }

  /** The name of a point where it hides the least; names that always stand there keep their place. */
  label(row, taken, stays) {
    const [x, y] = this.spots[row]
    const text = this.panel.labels[row]
    const width = text.length * LETTER
    const places = [[0, -10, "middle"], [0, 19, "middle"], [10, 4, "start"], [-10, 4, "end"]].map(([dx, dy, anchor]) => {
      const begin = x + dx - (anchor === "middle" ? width / 2 : anchor === "end" ? width : 0)
      const box = [begin, y + dy - 10, begin + width, y + dy + 2]
      const hidden = taken.filter(([l, t, r, b]) => box[0] < r && box[2] > l && box[1] < b && box[3] > t).length
      const outside = box[0] < this.left || box[2] > this.right + ROOM.right ? 100 : 0
      return { cost: hidden + outside, box, at: { x: px(x + dx), y: px(y + dy), style: `text-anchor: ${anchor}` } }
    })
    const chosen = places.reduce((best, place) => (place.cost < best.cost ? place : best))
    if (stays) taken.push(chosen.box)
    return drawn(this.svg, "text", { class: stays ? "label best" : "label", ...chosen.at }, text)
  }

  markAt(place, row) {
    if (this.mark) this.mark.style.transform = `translateX(${px(this.x(place))}px)`
    const stays = row === this.row
    this.row = row
    if (!this.ring || stays) return
    this.ring.setAttribute("transform", `translate(${px(this.spots[row][0])} ${px(this.spots[row][1])})`)
    this.labels.forEach((label, of) => label.classList.toggle("near", of === row))
  }

  listen() {
    this.svg.onpointermove = (event) => this.tell(this.nearest(event.offsetX, event.offsetY))
    this.svg.onpointerleave = this.svg.onblur = () => this.tell(-1)
    this.svg.onfocus = () => { if (this.svg.matches(":focus-visible")) this.tell(this.row ?? 0) }
    this.svg.onkeydown = (event) => {
      const last = this.spots.length - 1
      if (event.key === "Escape") this.tell(-1)
      else if (event.key === "Home") this.tell(0)
      else if (event.key === "End") this.tell(last)
      else if (STEPS[event.key]) this.tell(Math.min(Math.max((this.told ?? this.row ?? 0) + STEPS[event.key], 0), last))
      else return
      event.preventDefault()
      event.stopPropagation()
    }
  }

  nearest(x, y) {
    const { front } = this.panel
    let [best, least] = [-1, front ? REACH ** 2 : Infinity]
    this.spots.forEach((spot, row) => {
      const distance = (spot[0] - x) ** 2 + (front ? (spot[1] - y) ** 2 : 0)
      if (distance < least) [best, least] = [row, distance]
    })
    return best
  }

  tell(row) {
    this.told = row < 0 ? undefined : row
    this.spot?.toggleAttribute("hidden", row < 0)
    if (row < 0) this.tip.hidden = true
    if (row < 0 || !this.spots) return
    const [x, y] = this.spots[row]
    this.spot.setAttribute("cx", px(x))
    this.spot.setAttribute("cy", px(y))
    this.tip.hidden = false
    this.tip.textContent = this.panel.points[row][2]
    const [box, around] = [this.svg.getBoundingClientRect(), this.tip.parentElement.getBoundingClientRect()]
    const left = box.left - around.left + x - this.tip.offsetWidth / 2
    this.tip.style.left = `${Math.max(0, Math.min(left, around.width - this.tip.offsetWidth))}px`
    this.tip.style.top = `${box.top - around.top + y - this.tip.offsetHeight - 12}px`
  }
}

class Curves {
  constructor(root) {
    this.root = root.querySelector(".curves")
    for (const name of ["said", "charts", "tip"]) this[name] = this.root.querySelector(`.${name}`)
  }

  show({ theta, ...drawing }) {
    const look = JSON.stringify(drawing)
    if (look !== this.look) this.load(drawing)
    this.look = look
    if (theta !== this.served) this.theta = theta
    this.served = theta
    this.mark()
  }

  load(drawing) {
    this.drawing = drawing
    this.said.replaceChildren()
    this.sentences = [...drawing.said, drawing.by_step].map((text) => element(this.said, "p", "", text))
    this.charts.replaceChildren()
    this.panels = drawing.charts.flatMap(({ name, alt, height, note, panels }) => {
      const chart = element(this.charts, "section", name)
      chart.setAttribute("role", "group")
      chart.setAttribute("aria-label", alt)
      const row = element(chart, "div", "panels")
      element(chart, "p", "note", note)
      return panels.map((panel) => new Panel(row, panel, height, drawing.own, this.tip))
    })
    this.width = undefined
    this.layOut()
  }

  layOut() {
    const width = this.root.clientWidth
    if (!width || width === this.width) return
    this.width = width
    this.tip.hidden = true
    const widths = this.panels.map(({ svg }) => svg.clientWidth)
    this.panels.forEach((panel, row) => panel.layOut(widths[row]))
  }

  /** Where theta stands on the axis of the curves; its end prunes nothing. */
  place() {
    const { high, off } = this.drawing
    return this.theta >= high ? off : Math.sqrt(Math.max(this.theta, 0) / high)
  }

  mark() {
    const free = this.theta === null
    this.root.classList.toggle("free", free)
    const place = free ? 0 : this.place()
    const row = free ? -1 : this.drawing.places.reduce((best, one, at, all) => (Math.abs(one - place) < Math.abs(all[best] - place) ? at : best), 0)
    const told = this.sentences.at(row)
    if (told !== this.told) {
      this.told?.classList.remove("shown")
      told.classList.add("shown")
      this.told = told
    }
    if (this.width && !free) for (const panel of this.panels) panel.markAt(place, row)
  }

  follow(theta) {
    if (theta === this.theta) return
    this.theta = theta
    this.mark()
  }
}

export default function ({ data, parentElement }) {
  parentElement.curves ??= new Curves(parentElement)
  const { curves } = parentElement
  curves.show(data)
  const follow = (event) => curves.follow(event.detail)
  const listens = listening(parentElement)
  window.addEventListener("reg4rec:theta", follow, listens)
  observing(listens, curves.root, () => { curves.layOut(); curves.mark() })
  return () => listens.abort()
}
