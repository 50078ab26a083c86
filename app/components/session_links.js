// A link from one of our tables to a page of the application switches inside the session, as the Back button does:
// the address changes first, and the page shows what the address says. Opened in a new tab, it is a link like any other.
export default function () {
  const follow = (event) => {
    const link = event.target.closest?.(".r4 a[href]")
    const plain = !event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey
    if (!plain || !link || link.origin !== location.origin || !link.search) return
    event.preventDefault()
    history.pushState({}, "", link.href)
    window.dispatchEvent(new PopStateEvent("popstate"))
    document.querySelector('[data-testid="stMain"]')?.scrollTo({ top: 0 })
  }
  document.addEventListener("click", follow)
  return () => document.removeEventListener("click", follow)
}
