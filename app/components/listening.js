// New data reach a part without its being taken away: what listened for the old ones has to end first.
const listening = (part) => {
  part.reg4recListens?.abort()
  const listens = new AbortController()
  part.reg4recListens = listens
  return listens
}
const observing = (listens, element, resized) => {
  const observer = new ResizeObserver(resized)
  observer.observe(element)
  listens.signal.addEventListener("abort", () => observer.disconnect())
}
