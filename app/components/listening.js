// New data reach a part without its being taken away: what listened for the old ones has to end first.
const listening = (part) => {
  part.reg4recListens?.abort()
  part.reg4recListens = new AbortController()
  return part.reg4recListens.signal
}
const observing = (part, element, resized) => {
  const observer = new ResizeObserver(resized)
  observer.observe(element)
  part.reg4recListens.signal.addEventListener("abort", () => observer.disconnect())
}
