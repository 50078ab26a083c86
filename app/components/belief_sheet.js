// Some of what is told of a node, the same whatever is clicked.
export default function ({ data, parentElement }) {
  const parts = []
  if (data.bars) parts.push(beliefBars(data.bars))
  if (data.shift) parts.push(jsGauge(data.shift))
  if (data.reason) parts.push(nodeSummary(data.reason, data.facts))
  const stack = parentElement.querySelector(".r4-stack")
  for (const name in data.colours) stack.style.setProperty(name, data.colours[name])
  stack.innerHTML = parts.join("")
}
