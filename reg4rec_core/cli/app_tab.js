([event, watched, longest, runs]) => {
  const observed = new Set()
  const observer = new MutationObserver(() => look())
  const observe = (root) => {
    if (observed.has(root)) return
    observed.add(root)
    observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true })
  }
  const read = ({ within, part, attribute }) => {
    const host = document.querySelector(within)
    if (!host) return null
    let found = host.querySelector(part)
    if (!found) {
      const shadow = [host, ...host.querySelectorAll("*")].find((element) => element.shadowRoot)?.shadowRoot
      if (shadow) observe(shadow)
      found = shadow?.querySelector(part)
    }
    return found ? (attribute ? found.getAttribute(attribute) : found.textContent) : null
  }
  observe(document)
  const before = watched.map(read)
  const address = location.search
  let began, changed, answer, give_up
  let ran = !runs
  const look = () => {
    if (began === undefined) return
    const now = performance.now()
    const values = changed === undefined ? watched.map(read) : []
    if (changed === undefined && values.every((value, i) => value !== null && value !== before[i])) changed = now
    const state = document.querySelector('[data-testid="stApp"]').dataset.testScriptState
    ran ||= state !== "notRunning" || location.search !== address // a short run may begin and end unseen
    if (changed !== undefined && ran && state === "notRunning") answer({ changed: changed - began, rested: now - began })
  }
  const looking = setInterval(look, 50) // a new address changes nothing of the page
  addEventListener(event, (happened) => { began = happened.timeStamp }, { capture: true, once: true })
  window.reg4recAnswer = new Promise((resolve, reject) => {
    answer = resolve
    give_up = setTimeout(() => reject(new Error(`nothing changed after ${event}: ${JSON.stringify(watched)}`)), longest)
  }).finally(() => { clearTimeout(give_up); clearInterval(looking); observer.disconnect() })
}
