// A slider and a lock for every reward's weight. What is dragged is said at once, the page is told when it is let go.
const lineOf = ({ term, meaning }) => {
  const line = document.createElement("div")
  line.innerHTML = `<div class="r4-said"><label for="weight_${escaped(term)}">${escaped(term[0].toUpperCase() + term.slice(1))}
    </label><output></output></div><input id="weight_${escaped(term)}" type="range" min="0" step="0.01">
    <label class="lock" title="Keep this weight whatever moves others."><input type="checkbox"> lock</label>
    <div class="soft">What counts: ${escaped(meaning)}.</div>`
  return line
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".r4-mixer")
  if (!root.childElementCount) root.append(...data.weights.map(lineOf))
  const lines = data.weights.map((weight, at) => {
    const [slider, lock] = root.children[at].querySelectorAll("input")
    return { ...weight, slider, lock, said: root.children[at].querySelector("output") }
  })
  const say = ({ slider, said }) => { said.textContent = Number(slider.value).toFixed(2) }
  const tell = () => setStateValue("mix", {
    weights: Object.fromEntries(lines.map(({ term, slider }) => [term, Number(slider.value)])),
    locked: lines.filter(({ lock }) => lock.checked).map(({ term }) => term),
    turn: (root.turn = (root.turn ?? data.turn) + 1),
  })
  for (const line of lines) {
    line.slider.max = data.most
    // What is being dragged stays under the pointer, and an answer to an earlier mix leads nothing back.
    if (data.turn >= (root.turn ?? 0) && !line.slider.matches(":active")) line.slider.value = line.weight
    if (data.turn >= (root.turn ?? 0)) line.slider.disabled = line.lock.checked = line.locked
    say(line)
    line.slider.oninput = () => say(line)
    line.slider.onchange = tell
    line.lock.onchange = () => { line.slider.disabled = line.lock.checked; tell() }
  }
}
