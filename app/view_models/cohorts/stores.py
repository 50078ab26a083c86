"""Stored searches: whose they are, how they were made, and how to make one."""

from typing import Any

from app.view_models.reasoning import weights_name
from app.view_models.step_thetas import text_of

NO_STORE = (
    "This page needs the searches of many users, made once and kept beside the run; this run has none yet. "
    "Search a sample here, or all users with the command below, and reload the page. Searches of any other recommender "
    "can be looked at, too: two tables in a folder under checkpoints/ are enough (the README says which)."
)
SAMPLES = (500, 2000)
"""Users that the page itself searches."""
SAMPLE_NOTE = (
    "500 users take about a quarter of a minute on an idle machine. They are drawn at random and stored in the run."
)
MOMENTS = {"test": "the last purchase", "valid": "the last but one", "now": "what comes next"}
STORE_HELP = (
    "Searches of all users, made with `reg4rec trace`: split, weights, and a short code of the settings. Searches of "
    "another recommender are listed too when their tables lie in a folder under checkpoints/."
)


def make_command(run: str, weights: str = "") -> str:
    """The command that makes a store for this page."""
    return f"reg4rec trace --run {run}" + (f" --weights {weights}" if weights else "")


def other_weights(weights: str | None) -> str:
    """The stage whose weights a store is to be compared with."""
    return "pretrained" if weights != "pretrained" else "post_trained"


def store_words(description: dict[str, Any]) -> str:
    """Whose searches a store holds: weights, users, theta and when it was asked."""
    settings = description.get("settings", {})
    decode = settings.get("decode", {})
    parts = [f"{weights_name(settings['weights'])} weights"] if "weights" in settings else []
    if "users" in description:
        sampled = "a sample of " if settings.get("users") else ""
        parts.append(f"{sampled}{description['users']:,} users")
    if "theta" in decode:
        theta, thetas = decode["theta"], decode.get("thetas") or ()
        limit = f"θ by step {text_of(thetas).replace(',', ' · ')}" if thetas else f"θ {theta or 0:g}"
        off = theta is None and not thetas
        parts.append("no pruning" if off else f"{limit} from step {decode['check_from']}")
    if settings.get("split") in MOMENTS:
        parts.append(f"asked for {MOMENTS[settings['split']]}")
    return ", ".join(parts) or "a stored search that says nothing of how it was made"


def foreign_footer(name: str, description: dict[str, Any]) -> str:
    """Where the numbers of a store come from whose recommender is not at hand, as far as its store.json says."""
    known = {
        "made by": description.get("model"),
        "revision": description.get("git_revision"),
        "data": str(description.get("data_checksum", ""))[:12],
    }
    said = [f"{word} {value}" for word, value in known.items() if value]
    drawn = sample(description)
    origin = said or ["its store.json does not say what made it, with which revision, of which data"]
    return " · ".join([f"Stored search {name} of another recommender", *origin, *([drawn] if drawn else [])])


def store_weights(description: dict[str, Any]) -> str:
    """The training stage whose weights searched, "" where the store does not say."""
    return str(description.get("settings", {}).get("weights", ""))


def sample(description: dict[str, Any]) -> str:
    """How the users of a store were drawn."""
    settings, users = description.get("settings", {}), description.get("users")
    if users is None:
        return ""
    drawn = f"{users:,} users drawn at random, seed {settings.get('seed', 0)}"
    return drawn if settings.get("users") else f"all {users:,} users, no sample"
