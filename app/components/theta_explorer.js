const HEAD = 20
const MARGIN = { left: 12, right: 26, bottom: 8 }
const SCALE = [0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7]
const FINE = 0.001
const SETTLED = 350

const element = (parent, tag, className, text) => {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  parent.append(made)
  return made
}
const say = (node, text) => { if (node.textContent !== text) node.textContent = text }

function shape(context, symbol, x, y, r) {
  if (symbol === "triangle") {
    context.moveTo(x, y - r)
    context.lineTo(x + r, y + r * 0.85)
    context.lineTo(x - r, y + r * 0.85)
    context.closePath()
  } else if (symbol === "diamond") {
    context.moveTo(x, y - r)
    context.lineTo(x + r, y)
    context.lineTo(x, y + r)
    context.lineTo(x - r, y)
    context.closePath()
  } else if (symbol === "rect") {
    context.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7)
  } else {
    context.moveTo(x + r, y)
    context.arc(x, y, r, 0, 2 * Math.PI)
  }
}
const OUTLINES = {
  circle: "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0Z",
  triangle: "M0 -5L5 4.2H-5Z",
  diamond: "M0 -5.5L5.5 0L0 5.5L-5.5 0Z",
  rect: "M-4.4 -4.4H4.4V4.4H-4.4Z",
}

/** The shortest decimal number t with low <= t < high. */
function shortest(low, high) {
  for (let digits = 2; digits < 16; digits += 1) {
    const up = Math.ceil(low * 10 ** digits)
    for (const value of [Number((up / 10 ** digits).toFixed(digits)), Number(((up + 1) / 10 ** digits).toFixed(digits))])
      if (value >= low && value < high) return value
  }
  return low
}

class Explorer {
  constructor(root) {
    this.root = root.querySelector(".explorer")
    for (const name of ["slider", "ticks", "thumb", "own", "scale", "status", "tree", "tip", "list", "gone"])
      this[name] = this.root.querySelector(`.${name}`)
    this.canvas = this.root.querySelector("canvas")
    this.sent = []
    this.listen()
  }

  show(data, report) {
    this.report = report
    const theta = Number(data.theta)
    if (!this.data || this.data.id !== data.id) {
      this.load(data)
      this.theta = theta
      this.sent = []
    } else if (this.sent.includes(theta)) {
      this.sent = this.sent.slice(this.sent.indexOf(theta) + 1)
    } else if (theta !== this.served) {
      this.theta = theta
    }
    this.served = theta
    this.measure()
    this.schedule()
  }

  load(data) {
    this.data = data
    const count = data.parent.length
    this.states = data.lows.map(() => new Uint8Array(count))
    data.runs.forEach((runs, node) => {
      for (let at = 0; at < runs.length; at += 2) {
        const end = at + 2 < runs.length ? runs[at + 2] : data.lows.length
        for (let interval = runs[at]; interval < end; interval += 1) this.states[interval][node] = runs[at + 1]
      }
    })
    this.listAt = []
    data.lists.forEach(([from, list], row) => {
      const end = row + 1 < data.lists.length ? data.lists[row + 1][0] : data.lows.length
      for (let interval = from; interval < end; interval += 1) this.listAt.push(list)
    })
    this.drawSlider()
    this.drawStatus()
    this.drawList()
    this.drawn = undefined
    this.lit = undefined
  }

  drawSlider() {
    const { lows, high, lists, own_theta } = this.data
    const ticks = (thetas, top) => thetas.map((theta) => `M${(1000 * this.place(theta)).toFixed(2)} ${top}V24`).join("")
    const changes = lists.slice(1).map(([interval]) => lows[interval])
    this.ticks.querySelector(".trees").setAttribute("d", ticks(lows.slice(1), 14))
    this.ticks.querySelector(".lists").setAttribute("d", ticks(changes, 4))
    this.scale.replaceChildren()
    for (const theta of SCALE) element(this.scale, "span", "", String(theta)).style.left = `${100 * this.place(theta)}%`
    this.slider.hidden = Boolean(this.data.fixed)
    this.own.hidden = own_theta === null
    if (own_theta !== null) this.own.style.left = `${100 * this.place(own_theta)}%`
    this.slider.setAttribute("aria-valuemax", high)
  }

  drawStatus() {
    this.status.replaceChildren()
    this.says = { theta: element(this.status, "span", "theta"), kinds: [] }
    for (const kind of this.data.kinds) {
      const entry = element(this.status, "span", "kind")
      entry.title = kind.meaning
      const paint = kind.hollow ? `fill="none" stroke="${kind.colour}" stroke-width="1.6"` : `fill="${kind.colour}"`
      entry.innerHTML = `<svg viewBox="-6 -6 12 12" aria-hidden="true"><path d="${OUTLINES[kind.symbol]}" ${paint}/></svg>`
      entry.append(`${kind.name} `)
      this.says.kinds.push(element(entry, "b"))
    }
  }

  drawList() {
    this.list.replaceChildren()
    const places = Math.max(...this.listAt.map((list) => list.length), 0)
    this.rows = Array.from({ length: places }, (_, place) => {
      const row = element(this.list, "li")
      row.onpointerenter = () => this.light(place)
      row.onpointerleave = () => this.light(undefined)
      element(row, "span", "rank", String(place + 1))
      return { row, move: element(row, "span", "move"), item: element(row, "span", "item") }
    })
  }

  place(theta) { return Math.sqrt(Math.min(Math.max(theta, 0), this.data.high) / this.data.high) }

  interval() {
    const { lows } = this.data
    let [low, high] = [0, lows.length]
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (lows[middle] <= this.theta) low = middle
      else high = middle
    }
    return low
  }

  measure() {
    const [width, height] = [this.canvas.parentElement.clientWidth, this.data.height]
    const ratio = window.devicePixelRatio || 1
    if (!width || (width === this.width && ratio === this.ratio && this.xs?.id === this.data.id)) return
    Object.assign(this, { width, height, ratio, drawn: undefined })
    this.canvas.width = Math.round(width * ratio)
    this.canvas.height = Math.round(height * ratio)
    this.canvas.style.height = `${height}px`
    const last = Math.max(...this.data.step)
    const across = width - MARGIN.left - MARGIN.right
    this.xs = { id: this.data.id, at: this.data.step.map((step) => MARGIN.left + (across * step) / last) }
    this.ys = this.data.y.map((y) => HEAD + (y / 1000) * (height - HEAD - MARGIN.bottom))
    this.columns = Array.from({ length: last + 1 }, (_, step) => [MARGIN.left + (across * step) / last, step ? String(step) : "start"])
    const style = getComputedStyle(this.root)
    this.ground = style.getPropertyValue("--st-background-color") || "#fff"
    this.ink = style.color
    this.font = style.fontFamily
  }

  schedule() { this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.redraw() }) }

  redraw() {
    if (!this.width) return
    const theta = String(this.theta)
    this.thumb.style.left = `${100 * this.place(this.theta)}%`
    this.slider.setAttribute("aria-valuenow", theta)
    say(this.says.theta, this.data.fixed || `θ = ${theta}`)
    window.dispatchEvent(new CustomEvent("reg4rec:theta", { detail: this.data.fixed ? null : this.theta }))
    const interval = this.interval()
    if (interval === this.drawn) return
    this.drawn = interval
    this.drawTree(interval)
    this.tellList(interval)
    this.tip.hidden = true
  }

  drawTree(interval) {
    const { data, xs, ys, width, height, ratio } = this
    const context = this.canvas.getContext("2d")
    const states = this.states[interval]
    const at = xs.at
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    context.font = `12px ${this.font}`
    context.textAlign = "center"
    context.textBaseline = "middle"
    context.fillStyle = this.ink
    context.globalAlpha = 0.65
    for (const [x, name] of this.columns) context.fillText(name, Math.max(x, 14), 8)
    const groups = data.kinds.map(() => [])
    for (let node = 0; node < states.length; node += 1) if (states[node]) groups[data.kind_of[states[node]]].push(node)
    groups.forEach((nodes, kind) => this.drawLinks(context, nodes, data.kinds[kind]))
    this.drawPath(context, states, this.listAt[interval][this.lit ?? 0])
    groups.forEach((nodes, kind) => {
      const { symbol, hollow, colour } = data.kinds[kind]
      context.beginPath()
      for (const node of nodes) shape(context, symbol, at[node], ys[node], data.size[node] / 2)
      context.globalAlpha = 1
      context.fillStyle = hollow ? this.ground : colour
      context.fill()
      if (!hollow) return
      context.strokeStyle = colour
      context.lineWidth = 1.4
      context.stroke()
    })
    this.drawRanks(context, states, this.listAt[interval])
    groups.forEach((nodes, kind) => say(this.says.kinds[kind], String(nodes.length - (kind === data.kind_of[1] ? 1 : 0))))
    this.canvas.setAttribute("aria-label", `Search tree of ${groups.reduce((sum, nodes) => sum + nodes.length, 0)} nodes: ${
      data.kinds.map((kind, row) => `${this.says.kinds[row].textContent} ${kind.name}`).join(", ")}.`)
  }

  link(context, node) {
    const parent = this.data.parent[node]
    if (parent < 0) return
    const [x1, y1, x2, y2] = [this.xs.at[parent], this.ys[parent], this.xs.at[node], this.ys[node]]
    const bend = (x2 - x1) * 0.4
    context.moveTo(x1, y1)
    context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2)
  }

  drawLinks(context, nodes, { colour, dash }) {
    context.beginPath()
    for (const node of nodes) this.link(context, node)
    context.globalAlpha = 0.4
    context.strokeStyle = colour
    context.lineWidth = 1
    context.setLineDash(dash)
    context.stroke()
    context.setLineDash([])
  }

  leafOf(item, states) {
    const leaf = item === undefined ? -1 : this.data.items[item][2]
    return leaf >= 0 && this.data.lives[states[leaf]] ? leaf : -1
  }

  drawPath(context, states, item) {
    context.beginPath()
    for (let node = this.leafOf(item, states); node > 0; node = this.data.parent[node]) this.link(context, node)
    context.globalAlpha = 1
    context.strokeStyle = "#E69F00"
    context.lineWidth = 2.5
    context.stroke()
  }

  drawRanks(context, states, list) {
    context.textAlign = "left"
    context.font = `600 11px ${this.font}`
    context.fillStyle = this.ink
    const ranks = new Map()
    list.forEach((item, place) => {
      const leaf = this.leafOf(item, states)
      if (leaf >= 0) ranks.set(leaf, [...(ranks.get(leaf) ?? []), place + 1])
    })
    for (const [leaf, places] of ranks) context.fillText(places.join(", "), this.xs.at[leaf] + 10, this.ys[leaf])
  }

  tellList(interval) {
    const { data } = this
    const list = this.listAt[interval]
    this.rows.forEach(({ move, item }, place) => {
      const entry = list[place]
      const before = data.own.indexOf(entry)
      const by = before - place
      say(move, entry === undefined || by === 0 ? "" : before < 0 ? "+ new" : by > 0 ? `▲ ${by}` : `▼ ${-by}`)
      move.title = before < 0 ? "not in the list of the run's own setting" : `number ${before + 1} under the run's own setting`
      const [title, brand] = entry === undefined ? ["", ""] : data.items[entry]
      const text = `${entry !== undefined && entry === data.target ? "★ " : ""}${title}`
      if (item.shown === entry) return
      item.shown = entry
      item.textContent = text
      item.title = text
      if (brand) element(item, "span", "", ` · ${brand}`)
    })
    const gone = data.own.filter((item) => !list.includes(item)).map((item) => `${data.own.indexOf(item) + 1} “${data.items[item][0]}”`)
    say(this.gone, gone.length ? `No longer in the list: ${gone.join(", ")}.` : "")
    const fresh = list.filter((item) => !data.own.includes(item)).length
    this.slider.setAttribute("aria-valuetext", `${this.theta}, ${fresh} of ${list.length} items new`)
  }

  light(place) {
    this.lit = place
    if (this.drawn !== undefined) this.drawTree(this.drawn)
  }

  go(theta) {
    this.theta = Math.min(Math.max(theta, 0), this.data.high)
    this.schedule()
  }

  send() {
    clearTimeout(this.settling)
    if (this.theta === (this.sent.at(-1) ?? this.served)) return
    this.sent.push(this.theta)
    this.report(String(this.theta))
  }

  jump(interval) {
    const { lows, high } = this.data
    const to = Math.min(Math.max(interval, 0), lows.length - 1)
    this.go(shortest(lows[to], to + 1 < lows.length ? lows[to + 1] : high))
  }

  key(event) {
    const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key]
    const changes = this.data.lists.map(([interval]) => interval)
    const now = this.interval()
    if (by && event.shiftKey) this.go(Number((Math.round(this.theta / FINE + by) * FINE).toFixed(3)))
    else if (by) this.jump(now + by)
    else if (event.key === "PageUp") this.jump(changes.find((interval) => interval > now) ?? now)
    else if (event.key === "PageDown") this.jump(changes.findLast((interval) => interval < now) ?? 0)
    else if (event.key === "Home") this.go(0)
    else if (event.key === "End") this.go(this.data.high)
    else return
    event.preventDefault()
    event.stopPropagation()
    clearTimeout(this.settling)
    this.settling = setTimeout(() => this.send(), SETTLED)
  }

  listen() {
    const move = (event) => {
      const share = Math.min(Math.max((event.clientX - this.box.left) / this.box.width, 0), 1)
      this.go(Number((this.data.high * share * share).toFixed(4)))
    }
    this.slider.onpointerdown = (event) => {
      this.box = this.slider.getBoundingClientRect()
      this.slider.setPointerCapture(event.pointerId)
      this.dragging = true
      move(event)
    }
    this.slider.onpointermove = (event) => { if (this.dragging) move(event) }
    this.slider.onpointerup = this.slider.onpointercancel = () => {
      if (!this.dragging) return
      this.dragging = false
      this.send()
    }
    this.slider.onkeydown = (event) => this.key(event)
    this.canvas.onpointermove = (event) => this.hover(event)
    this.canvas.onpointerleave = () => { this.tip.hidden = true }
  }

  hover(event) {
    const [x, y] = [event.offsetX, event.offsetY]
    const { data } = this
    const states = this.states[this.drawn]
    let [best, nearest] = [-1, 81]
    for (let node = 0; node < states.length; node += 1) {
      if (!states[node]) continue
      const distance = (this.xs.at[node] - x) ** 2 + (this.ys[node] - y) ** 2
      if (distance < nearest) [best, nearest] = [node, distance]
    }
    this.tip.hidden = best < 0
    if (best < 0) return
    const kind = data.kinds[data.kind_of[states[best]]]
    const js = data.js[best]
    this.tip.replaceChildren()
    element(this.tip, "b", "", data.names[data.name[best]])
    const moved = js < 0 ? "" : ` It moved the belief by ${(js / 1e4).toFixed(4)}.`
    element(this.tip, "div", "", data.parent[best] < 0 ? "The start: every item is still possible." : `${kind.meaning}${moved}`)
    this.tip.style.left = `${Math.max(0, Math.min(x + 12, this.width - this.tip.offsetWidth))}px`
    this.tip.style.top = `${y > this.tip.offsetHeight + 16 ? y - this.tip.offsetHeight - 10 : y + 14}px`
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.explorer ??= new Explorer(parentElement)
  const { explorer } = parentElement
  explorer.show(data, (theta) => setTriggerValue("theta", theta))
  const listens = listening(parentElement)
  observing(listens, explorer.tree, () => { explorer.measure(); explorer.schedule() })
  return () => listens.abort()
}
