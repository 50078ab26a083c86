// Tells all that draw a search which of its paths is followed, so that none of them has to be sent anew for it.
export default function ({ data }) {
  ;(window.reg4recFollowed ??= new Map()).set(data.key, data)
  window.dispatchEvent(new CustomEvent("reg4rec:followed", { detail: data }))
}
