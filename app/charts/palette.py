"""Colours and shapes of all charts. Every meaning that has a colour also has a shape or a dash."""

from dataclasses import dataclass
from typing import Literal

Ground = Literal["light", "dark"]
GREY, ORANGE = "#8B929C", "#E69F00"
COLOURS: dict[Ground, dict[str, str]] = {
    "light": {"kept": "#0072B2", "regenerated": "#009E73", "pruned": "#D55E00", "fallback": "#CC79A7"},
    "dark": {"kept": "#56B4E9", "regenerated": "#1FBF93", "pruned": "#F0803C", "fallback": "#DD9BBF"},
}
"""Okabe and Ito's blue, green, vermillion and purple; on a dark ground their sky blue and lighter tones."""


@dataclass(frozen=True)
class Mark:
    """How a kind of node looks besides its colour: shape, outline, and the dash of the link that leads to it."""

    symbol: str
    filled: bool
    dash: str
    """As SVG's stroke-dasharray."""


MARKS = {
    "root": Mark("circle", True, "none"),
    "kept": Mark("circle", True, "none"),
    "regenerated": Mark("triangle", True, "none"),
    "beam_cut": Mark("circle", False, "1 3"),
    "pruned": Mark("diamond", True, "6 4"),
    "fallback": Mark("rect", False, "7 3 2 3"),
}


def colour_of(kind: str, ground: Ground) -> str:
    return COLOURS[ground].get(kind, GREY)


GROUP_COLOURS: dict[Ground, tuple[str, ...]] = {
    "light": ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#B5A800", "#000000"),
    "dark": ("#56B4E9", "#E69F00", "#1FBF93", "#DD9BBF", "#F0803C", "#F0E442", "#2F8FCB", "#FFFFFF"),
}
"""Okabe and Ito's eight, the yellow darker on a light ground, black and white changed over."""
GROUP_SYMBOLS = ("circle", "triangle", "rect", "diamond", "roundRect", "pin", "arrow", "circle")
RISING: dict[Ground, tuple[str, str]] = {"light": ("#CBD5DD", "#00405F"), "dark": ("#39434D", "#A9DCF8")}
"""From few to many, one hue."""
HEAT: dict[Ground, tuple[str, str]] = {"light": ("#FFFFFF", "#0072B2"), "dark": ("#1A1F26", "#56B4E9")}
HEAT_TEXT: dict[Ground, tuple[str, str]] = {"light": ("#1F2328", "#FFFFFF"), "dark": ("#E6E9ED", "#0B0E12")}
"""Of numbers on a weak and on a strong colour."""
HEAT_STRONG: dict[Ground, float] = {"light": 0.55, "dark": 0.7}
"""Share of the largest value from which a colour is strong."""
