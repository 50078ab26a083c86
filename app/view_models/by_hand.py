"""What a visitor changed by hand, in words: an edited history, a steered search, a branch to go on from."""

from dataclasses import dataclass

from app.view_models.reasoning import short_category
from reg4rec_core import (
    UNKNOWN,
    Branch,
    Edit,
    Facets,
    Steering,
    SteeringRule,
    facet_letter,
    format_branch,
    format_edits,
    format_steering,
)

NO_STEERING = Steering()


@dataclass(frozen=True)
class ByHand:
    """How a search is asked for otherwise than plainly."""

    edits: tuple[Edit, ...] = ()
    steering: Steering = NO_STEERING
    branch: Branch = ()

    def __bool__(self) -> bool:
        return bool(self.edits or self.steering.rules or self.branch)

    @property
    def texts(self) -> dict[str, str]:
        """The same as links spell it, by the names in the URL; "" for what is not changed."""
        return {
            "edit": format_edits(self.edits),
            "steer": format_steering(self.steering),
            "from": format_branch(self.branch),
        }

    @property
    def given_codes(self) -> set[tuple[int, int]]:
        """The codes that a path of the search has because of us: the branch's, and those fixed without alternative."""
        fixed = [rule.code for rule in self.steering.rules if rule.kind == "fix"]
        books = [codebook for codebook, _ in fixed]
        return set(self.branch) | {code for code in fixed if books.count(code[0]) == 1}

    @property
    def saved_as(self) -> dict[str, str]:
        """What a file name adds to tell this search from the plain one."""
        names = {"edit": "edited", "steer": "steered", "from": "restored"}
        return {key: names[key] for key, text in self.texts.items() if text}


def rule_text(rule: SteeringRule, facets: Facets) -> str:
    """A rule for people: "only brand “OPI”", "without facet C “nail · polish” (code 117)"."""
    verb = "without" if rule.forbids else "only"
    if rule.about == "code":
        codebook, code = rule.code
        return f"{verb} facet {facet_letter(codebook)} “{facets.name(codebook, code)}” (code {code})"
    name = short_category(rule.name) if rule.about == "category" else rule.name
    return f"{verb} {rule.about} “{name}”" if name != UNKNOWN else f"{verb} items of unknown {rule.about}"


def steering_banner(steering: Steering, facets: Facets, allowed: int) -> str:
    """What is steered and how much of the catalogue that leaves."""
    rules = "; ".join(rule_text(rule, facets) for rule in steering.rules)
    whole = facets.catalog.n_items - 1
    return f"Steered: {rules}. {allowed:,} of {whole:,} items may be recommended."


ABOUT_STEERING = (
    "Only what may be recommended is steered: probabilities are shares among the allowed items, the belief over "
    "categories is the model's own."
)
ABOUT_BRANCHES = "The codes of the branch were given by hand; the model computed its belief after each, unchecked."


def branch_banner(branch: Branch, facets: Facets) -> str:
    """Where the search goes on from."""
    names = [f"facet {facet_letter(codebook)} “{facets.name(codebook, code)}”" for codebook, code in branch]
    return f"Restored branch: every path begins with {', then '.join(names)}; θ applies from step {len(branch) + 1} on."


def allowed_prefix(steering: Steering, allowed: int) -> str:
    """The beginning of an explanation: among which items a steered search chose."""
    return f"Among the {allowed:,} items that steering allows, " if steering.rules else ""


def changes_text(by_hand: ByHand, facets: Facets, *, allowed: int) -> str:
    """What was asked for by hand beside another history, in sentences; "" for nothing."""
    said = [steering_banner(by_hand.steering, facets, allowed)] if by_hand.steering.rules else []
    said += [branch_banner(by_hand.branch, facets)] if by_hand.branch else []
    return " ".join(said)
