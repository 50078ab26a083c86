"""A report as one HTML page that needs nothing else: no script, no request, text and drawings alone.

Drawn from the report's document only, so that the page and its JSON twin tell the same. Everything comes escaped.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from reg4rec_core.analysis.tree_drawing import tree_drawing, tree_legend

Document = Mapping[str, Any]

MOMENTS = {"test": "the last purchase", "valid": "the last but one", "now": "what comes next"}
WEIGHTS = {"pretrained": "pre-trained", "post_trained": "post-trained"}
SHOWN_CATEGORIES = 8
PART_NAMES = {"learnt": "learnt", "transitions": "bought next", "reasoning": "reasoning"}
STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --ground: #fff; --soft: #5b636d; --line: #dfe3e8; --tint: #f4f6f8;
  --kept: #0072B2; --regenerated: #009E73; --pruned: #D55E00; --fallback: #B05A8C; --cut: #8B929C; --mark: #E69F00; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --ground: #14171c; --soft: #a3abb5; --line: #323943;
  --tint: #1d2229; --kept: #56B4E9; --regenerated: #1FBF93; --pruned: #F0803C; --fallback: #DD9BBF; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 28px 60px; max-width: 1240px; color: var(--text); background: var(--ground);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 19px; margin: 30px 0 6px; } h3 { font-size: 16px; }
p { max-width: 100ch; margin: 6px 0 10px; } .soft { color: var(--soft); } .why { font-size: 16.5px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; } th { text-align: left; font-weight: 500;
  color: var(--soft); } th, td { padding: 5px 10px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th { vertical-align: bottom; } th.num { white-space: normal; }
@media (prefers-color-scheme: dark) { .charts svg { filter: invert(.91) hue-rotate(180deg); } }
tr.hit td { font-weight: 650; } .scroll { overflow-x: auto; }
.belief td.num { min-width: 62px; padding-right: 8px; }
.tree { width: 100%; height: auto; display: block; } .tree text { fill: var(--text); font-size: 12px; }
.tree .head { text-anchor: middle; fill: var(--soft); } .tree .head:first-of-type { text-anchor: start; }
.tree .label { opacity: .85; } .tree .label.followed { font-weight: 700; opacity: 1; }
.link { fill: none; stroke: var(--cut); stroke-opacity: .4; } .link.kept { stroke: var(--kept); }
.link.regenerated { stroke: var(--regenerated); } .link.pruned { stroke: var(--pruned); stroke-dasharray: 6 4; }
.link.fallback { stroke: var(--fallback); stroke-dasharray: 7 3 2 3; } .link.beam_cut { stroke-dasharray: 1 3; }
.link.followed { stroke-width: 3; stroke-opacity: 1; }
.node { fill: var(--kept); } .node.regenerated { fill: var(--regenerated); } .node.pruned { fill: var(--pruned); }
.node.beam_cut { fill: var(--ground); stroke: var(--cut); stroke-width: 1.3; }
.node.fallback { fill: var(--ground); stroke: var(--fallback); stroke-width: 1.6; }
.node.followed { stroke: var(--mark); stroke-width: 2.5; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; font-size: 14px; } .legend svg { vertical-align: -2px; }
code { font-size: 13px; overflow-wrap: anywhere; } .parts { color: var(--soft); font-size: 12.5px; font-weight: 400; }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 0 36px; }
.charts { gap: 12px 20px; margin-bottom: 14px; } .charts svg { width: 100%; height: auto; display: block; }
@media print { body { max-width: none; padding: 0; } h2 { break-after: avoid; } svg { break-inside: avoid; } }
"""


def report_page(document: Document) -> str:
    """The whole page."""
    comparison = document["kind"] == "comparison"
    title = f"{'Two searches' if comparison else 'The search'} for user {document['user']}"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="soft">{escape(_whose(document))}</p>',
        *(_difference(document) if comparison else []),
        _history(document),
        *(_search(searched, document, comparison=comparison) for searched in document["searches"]),
        _notes(document["notes"]),
        _origin(document),
    ]
    return page_of(title, parts)


def page_of(title: str, parts: Sequence[str]) -> str:
    """A page of parts that are HTML already."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>{''.join(parts)}</body></html>\n"
    )


def _whose(document: Document) -> str:
    asked = MOMENTS.get(document["at"], document["at"])
    edited = " The history was edited; nobody bought like this." if document["edits"] else ""
    steered = f" {escape(document['by_hand'])}" if document["by_hand"] else ""
    return f"Asked for {asked}; made {document['made'].replace('T', ' ').split('+')[0]} UTC.{edited}{steered}"


def _difference(document: Document) -> list[str]:
    """What differs between two searches, and every item that is not in the same place of both lists."""
    rows = [
        [move["title"], str(move["a"] or "not in the list"), str(move["b"] or "not in the list")]
        for move in document["movement"]
    ]
    moved = plain_table(["item", "place in A", "place in B"], rows, numbers=(1, 2)) if rows else ""
    return ["<h2>What differs</h2>", f'<p class="why">{escape(document["difference"])}</p>', moved]


def _history(document: Document) -> str:
    rows = [
        [str(place), item["title"], item["brand"], _short(item["category"]), item["date"]]
        for place, item in enumerate(document["history"], 1)
    ]
    target = document["target"]
    told = f"Bought next: “{target['title']}”." if target else "What was bought next is not known."
    heads = ["#", "bought, oldest first", "brand", "category", "date"]
    return f"<h2>What the model saw</h2>{plain_table(heads, rows, numbers=(0, 4))}<p>{escape(told)}</p>"


def _search(searched: Document, document: Document, *, comparison: bool) -> str:
    heading = "Why the first item" if not comparison else f"{searched['side']}: {searched['run']}"
    place = searched["target_place"]
    found = f"number {place} of the list" if place else "not in the list"
    outcome = f" What was bought next is {found}." if document["target"] else ""
    titles = {item["rank"]: ("★ " if item["bought_next"] else "") + item["title"] for item in searched["items"]}
    counts = searched["counts"]
    alt = f"Search tree of {len(searched['tree'])} nodes, {counts['pruned']} pruned, {counts['kept']} kept"
    return "".join(
        [
            f'<h2>{escape(heading)}</h2><p class="soft">{escape(_settings(searched))}</p>',
            f'<p class="why">{escape(searched["sentence"] + outcome)}</p>',
            "<h3>The search tree</h3>",
            '<p class="soft">Each column is one more code; point at a node to read what became of it and why.</p>',
            tree_legend(searched["tree"]),
            f'<div class="scroll">{tree_drawing(searched["tree"], titles, alt=alt)}</div>',
            "<h3>What it recommends</h3>",
            _recommendations(searched["items"]),
            "<h3>What kind of item comes next: the belief along the followed path</h3>",
            _belief(searched["belief"]),
        ]
    )


def _settings(searched: Document) -> str:
    settings = searched["settings"]
    weights = WEIGHTS.get(searched["weights"], searched["weights"])
    limits = [settings["theta"]] if not settings["thetas"] else settings["thetas"]
    shown = " · ".join("off" if theta is None else f"{theta:g}" for theta in limits)
    by_step = "θ by step " if settings["thetas"] else "θ "
    theta = "no pruning" if not any(theta is not None for theta in limits) else (
        f"{by_step}{shown}, compared from step {settings['check_from']}"
    )  # fmt: skip
    return f"Run {searched['run']}, {weights} weights, {theta}, beam width {settings['beam']}."


def _recommendations(items: Sequence[Document]) -> str:
    rows = "".join(_recommended(item) for item in items)
    heads = '<th class="num">#</th><th>item</th><th>brand, category</th><th class="num">score, nats</th><th>path</th>'
    return f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _recommended(item: Document) -> str:
    path = " → ".join(f"{code['facet']}{code['code']} {code['name']}" for code in item["path"])
    parts = "".join(f"<div>{name} {_signed(item['parts'][part])}</div>" for part, name in PART_NAMES.items())
    sources = ", ".join(f"“{source['title']}” ({source['share']:.0%})" for source in item["sources"])
    told = f"other shoppers bought it soon after {sources}" if sources else ""
    star = "★ " if item["bought_next"] else ""
    cells = [
        f'<td class="num">{item["rank"]}</td>',
        f'<td>{escape(star + item["title"])}<div class="parts">{escape(told)}</div></td>',
        f'<td>{escape(item["brand"])}<div class="parts">{escape(_short(item["category"]))}</div></td>',
        f'<td class="num">{item["score"]:.2f}<div class="parts">{parts}</div></td>',
        f"<td>{escape(path or 'no path of its own: a neighbour of the best item')}</td>",
    ]
    return f'<tr class="{"hit" if item["bought_next"] else ""}">{"".join(cells)}</tr>'


def _belief(steps: Sequence[Document]) -> str:
    """Categories down, steps across; the cell's shade is its share."""
    if not steps:
        return "<p>This search kept no belief.</p>"
    shares = [[category["probability"] for category in step["categories"]] for step in steps]
    names = [category["name"] for category in steps[0]["categories"]]
    top = sorted(range(len(names)), key=lambda c: -max(row[c] for row in shares))[:SHOWN_CATEGORIES]
    heads = "".join(f'<th class="num">{escape(_step_name(step))}</th>' for step in steps)
    rows = "".join(
        f"<tr><td>{escape(_short(names[c]))}</td>{''.join(_cell(row[c]) for row in shares)}</tr>" for c in top
    )
    moved = "".join(
        f'<td class="num">{"–" if step["js"] is None else format(step["js"], ".3f")}</td>' for step in steps
    )
    left = "".join(f'<td class="num">{step["items_left"]:,}</td>' for step in steps)
    return (
        f'<div class="scroll"><table class="belief"><thead><tr><th>category</th>{heads}</tr></thead><tbody>{rows}'
        f'<tr><td class="soft">moved by (js, nats)</td>{moved}</tr>'
        f'<tr><td class="soft">items left</td>{left}</tr></tbody></table></div>'
    )


def _step_name(step: Document) -> str:
    code = step["code"]
    return f"{step['step']}: {code['facet']}{code['code']}" if code else "start"


def _cell(share: float) -> str:
    shade = f"color-mix(in srgb, var(--kept) {round(70 * share)}%, transparent)"
    return f'<td class="num" style="background:{shade}">{share:.1%}</td>'


def _notes(notes: Sequence[Document]) -> str:
    if not notes:
        return ""
    rows = [
        ["thumb up" if note["label"] > 0 else "thumb down", note["tag"], _about(note), note["text"]] for note in notes
    ]
    return f"<h2>Notes</h2>{plain_table(['', 'tag', 'about', 'note'], rows)}"


def _about(note: Document) -> str:
    """The item of a note, or the codes of its branch."""
    codes = " ".join(f"{code['codebook']}.{code['code']}" for code in note["path"])
    return f"item {note['item']}" if note["item"] else f"branch {codes}" if codes else "the start"


def _origin(document: Document) -> str:
    """Where the numbers come from, and how to see them live."""
    lines = [
        f"{searched['side'] and searched['side'] + ': '}run {searched['run']}, {made_by(searched['provenance'])}"
        for searched in document["searches"]
    ]
    told = "".join(f'<p class="soft">{escape(line)}</p>' for line in lines)
    return f"<h2>Where this comes from</h2>{told}{see_live(document['link'])}"


def see_live(link: str) -> str:
    """The way to the view in the application; "" without a link."""
    return f'<p>See it live: <a href="{escape(link)}"><code>{escape(link)}</code></a></p>' if link else ""


def made_by(provenance: Document) -> str:
    """Package, revision and data in words."""
    return (
        f"made by reg4rec {provenance['package_version']}, revision {provenance['git_revision']}, "
        f"data {provenance['data_checksum'][:12]}"
    )


def plain_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """A table of text; columns `numbers` stand to the right."""

    def cell(tag: str, place: int, text: str) -> str:
        return f'<{tag} class="num">{escape(text)}</{tag}>' if place in numbers else f"<{tag}>{escape(text)}</{tag}>"

    head = "".join(cell("th", place, text) for place, text in enumerate(heads))
    body = "".join(f"<tr>{''.join(cell('td', place, text) for place, text in enumerate(row))}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _short(category: str) -> str:
    """The last two levels of a category path."""
    return " › ".join(part.strip() for part in category.split(">")[-2:])


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
