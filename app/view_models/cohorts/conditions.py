"""Cohorts in words, and those that are one click away."""

from app.view_models.reasoning import date_text, short_category
from reg4rec_core import Cohort, PathCodes, Range, facet_letter

INTRODUCTION = (
    "Every user of a stored search: choose whom to look at, see how well the model serves them, and where the "
    "categories it recommends drift away from what they bought."
)
NOBODY = "Nobody is in this cohort. Choose everyone above, or widen a condition."
QUICK = {
    "everyone": Cohort(),
    "short histories": Cohort(history=Range(None, 4)),
    "long histories": Cohort(history=Range(20, None)),
    "cold targets": Cohort(seen=Range(0, 4)),
    "found": Cohort(outcome="hit"),
    "missed": Cohort(outcome="miss"),
    "target pruned": Cohort(outcome="pruned"),
}
"""Cohorts one click away."""
QUICK_HELP = (
    "Short: at most 4 purchases; long: 20 and more. Cold: training saw the target at most 4 times. Found: the target "
    "is among the first ten. Target pruned: missed, after a candidate that led to it had been pruned."
)
NAME_WORDS = {
    "main": "bought mostly {}",
    "bought": "bought {}",
    "brand": "bought the brand {}",
    "maker": "target of the brand {}",
    "target": "target in {}",
    "recommended": "offered {}",
}
BRANDS = ("brand", "maker")
"""Of these names, which are brands."""
OUTCOMES = {"any": "any", "hit": "found among ten", "miss": "missed", "pruned": "missed, target pruned"}


def cohort_words(cohort: Cohort) -> list[str]:
    """Every condition of a cohort in words; none for everyone."""
    words = [
        _range_words(cohort.history, "{} purchases"),
        _range_words(cohort.active, "active for {} days"),
        _range_words(cohort.seen, "target seen {} times in training"),
        _time_words(cohort.last),
    ]
    for name, said in NAME_WORDS.items():
        value = getattr(cohort, name)
        words.append(said.format(value if name in BRANDS else short_category(value)) if value else "")
    if cohort.codes is not None:
        words.append(_codes_words(cohort.codes))
    if cohort.leans is not None:
        when = f"after step {cohort.leans.step}" if cohort.leans.step else "before any step"
        words.append(f"belief leans to {short_category(cohort.leans.category)} {when}")
    words.append("" if cohort.outcome == "any" else OUTCOMES[cohort.outcome])
    words.append("" if cohort.users is None else f"{len(cohort.users):,} chosen users")
    return [word for word in words if word]


def _codes_words(used: PathCodes) -> str:
    letter, many = facet_letter(used.codebook), len(used.codes)
    which = ", ".join(f"{letter}{code}" for code in used.codes[:4]) + (", …" if many > 4 else "")
    codes = f"code {which}" if many == 1 else f"one of {many} codes of facet {letter} ({which})"
    return f"a path to one of their ten items uses {codes}"


def _range_words(span: Range, said: str) -> str:
    if span.is_open:
        return ""
    if span.low == span.high:
        return said.format(span.low)
    if span.high is None:
        return said.format(f"{span.low} or more")
    return said.format(f"at most {span.high}" if not span.low else f"{span.low} to {span.high}")


def _time_words(span: Range) -> str:
    parts = [] if span.low is None else [f"from {date_text(span.low)}"]
    parts += [] if span.high is None else [f"until {date_text(span.high)}"]
    return f"last purchase {' '.join(parts)}" if parts else ""


def cohort_sentence(cohort: Cohort) -> str:
    words = cohort_words(cohort)
    return "Everyone" if not words else "Users: " + " · ".join(words)


CHOICES = ("by", "metric", "source", "period", "against")
"""Names of the page's controls in the address bar."""
