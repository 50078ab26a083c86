// A popover opened by keyboard is entered: its contents stand at the end of the document, far from its button in the
// order of Tab. Escape leads back to the button. A list that opens over the popover takes the popover's controls out of
// the order of Tab and does not give them back when it closes; they return with the next Tab.
const INSIDE = '[data-testid="stPopoverBody"]'
const CONTROLS = 'input:not([disabled]), textarea, button:not([disabled]), a[href], [tabindex="0"]'
const WAIT = { every: 50, times: 60 }

export default function () {
  let opener
  const enter = (times) => {
    const first = document.querySelector(INSIDE)?.querySelector(CONTROLS)
    if (first) first.focus()
    else if (times > 0) setTimeout(() => enter(times - 1), WAIT.every)
  }
  const giveBack = (popover) => {
    for (const control of popover.querySelectorAll("[data-tabindex]")) {
      const index = control.dataset.tabindex
      if (index) control.setAttribute("tabindex", index)
      else control.removeAttribute("tabindex")
      delete control.dataset.tabindex
    }
  }
  const pressed = (event) => {
    const within = event.target.closest?.(INSIDE)
    if (event.key === "Tab" && within) giveBack(within)
    if (event.key === "Escape" && opener && within) {
      setTimeout(() => opener.focus(), WAIT.every)
    }
    const button = event.target.closest?.('[data-testid="stPopover"] button, [data-testid="stPopoverButton"]')
    if (!button || (event.key !== "Enter" && event.key !== " ") || document.querySelector(INSIDE)) return
    opener = button
    setTimeout(() => enter(WAIT.times), WAIT.every)
  }
  document.addEventListener("keydown", pressed, true)
  return () => document.removeEventListener("keydown", pressed, true)
}
