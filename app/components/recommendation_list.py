"""The final list: an entry a line with the codes of its path; a click follows that path through every view."""

from collections.abc import Callable
from typing import Any

import streamlit as st

KEY = "recommendations"

_CSS = """
:host { font-family: var(--st-font); color: var(--st-text-color); }
.grid { display: grid; grid-template-columns: 30px minmax(190px, 1.5fr) minmax(120px, .8fr) 96px minmax(300px, 3fr);
        font-size: .9rem; line-height: 1.35; }
.grid > .head { color: var(--soft); padding: 4px 10px 4px 0; font-size: .84rem; }
.row { display: contents; cursor: pointer; }
.row > div { border-top: 1px solid var(--st-border-color); padding: 6px 10px 6px 0; }
.row:hover > div, .row:has(:focus-visible) > div { background: var(--st-secondary-background-color); }
.row > div:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
.row.followed > div { background: color-mix(in srgb, var(--st-primary-color) 11%, transparent); }
.row > div:first-child { padding-left: 8px; border-left: 3px solid transparent; }
.row.followed > div:first-child { border-left-color: #E69F00; }
.grid { --soft: color-mix(in srgb, var(--st-text-color) 62%, transparent); }
.soft { color: var(--soft); font-size: .84rem; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.title { font-weight: 550; }
.hit { color: #009E73; font-weight: 650; white-space: nowrap; }
.chips { display: flex; flex-wrap: wrap; gap: 4px; align-content: flex-start; }
.chip { border: 1px solid var(--st-border-color); border-radius: 10px; padding: 0 7px; font-size: .8rem;
        white-space: nowrap; max-width: 210px; overflow: hidden; text-overflow: ellipsis; }
.chip.forced { border-style: dashed; color: var(--soft); max-width: 3.2em; }
.chip.now { border: 2px solid #E69F00; }
.chip b { font-weight: 650; }
"""

_JS = """
const part = (tag, className, text) => {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text !== undefined) element.textContent = text
  return element
}
const chip = (code) => {
  const element = part("span", "chip" + (code.decides ? "" : " forced") + (code.now ? " now" : ""))
  element.append(part("b", "", code.facet))
  if (code.decides) element.append(" " + code.name)
  element.title = `facet ${code.facet}: ${code.name} (${code.detail})`
  return element
}
const cells = (entry) => {
  const item = part("div")
  item.append(part("div", "title", entry.title))
  if (entry.hit) item.append(part("div", "hit", "★ this is what was bought next"))
  const about = part("div", "", entry.brand || "–")
  about.append(part("div", "soft", entry.category))
  const scores = part("div", "num", entry.path_score)
  scores.append(part("div", "soft", entry.first_state))
  const codes = part("div", "chips")
  if (entry.codes.length) codes.append(...entry.codes.map(chip))
  else codes.append(part("span", "soft", "no path of its own: a neighbour of the best path's item"))
  return [part("div", "num", String(entry.rank)), item, about, scores, codes]
}
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".grid")
  root.replaceChildren(...data.heads.map((text, i) => part("div", "head" + (i === 0 || i === 3 ? " num" : ""), text)))
  for (const entry of data.entries) {
    const row = part("div", "row" + (entry.followed ? " followed" : ""))
    row.append(...cells(entry))
    if (entry.path) {
      const first = row.firstChild
      first.tabIndex = 0
      first.setAttribute("role", "button")
      first.setAttribute("aria-label", `follow the path to ${entry.title}`)
      row.onclick = () => setTriggerValue("followed", entry.path)
      first.onkeydown = (event) => { if (event.key === "Enter") setTriggerValue("followed", entry.path) }
    }
    root.append(row)
  }
}
"""

_list = st.components.v2.component("reg4rec.recommendation_list", html='<div class="grid"></div>', css=_CSS, js=_JS)


def recommendation_list(entries: list[dict[str, Any]], *, on_follow: Callable[[str], None]) -> None:
    """Draw the list; `on_follow` gets the path key of the entry that was clicked."""

    def clicked() -> None:
        path = st.session_state[KEY].followed
        if isinstance(path, str):
            on_follow(path)

    heads = [
        "#",
        "item",
        "brand and category",
        "path | first state",
        "its path: facets and what the codes stand for",
    ]
    _list(key=KEY, data={"heads": heads, "entries": entries}, on_followed_change=clicked)
