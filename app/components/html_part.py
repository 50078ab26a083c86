"""HTML of our own that goes to the page as it is.

`st.html` has the browser parse what it is given, walk it for what might do harm, and write it out again: 28 ms whenever
a weight moved on the Rewards page, with its table of bars. Here the texts of others come escaped already.
"""

import streamlit as st

_part = st.components.v2.component(
    "reg4rec.html_part",
    html='<div class="r4-part"></div>',
    js="""export default ({ data, parentElement }) => {
      parentElement.querySelector(".r4-part").innerHTML = data.html
    }""",
    isolate_styles=False,
)


def html_part(html: str, *, key: str) -> None:
    """Draw it. Everything in `html` that is not markup has to be escaped."""
    _part(key=key, data={"html": html})
