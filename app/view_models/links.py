"""Links from one page to another."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from app.view_models.reasoning import permalink


def page_link(address: str, page: str, state: Mapping[str, str]) -> str:
    """A link to a page ("reasoning"; "" is the first one) from the address of the page that is looked at.

    Relative where the address is not known.
    """
    parts = urlsplit(address)
    home = f"{parts.scheme}://{parts.netloc}{parts.path.rsplit('/', 1)[0]}/" if parts.netloc else ""
    return permalink(f"{home}{page}", dict(state))


def said_by(link: str) -> dict[str, str]:
    """What a link of ours says."""
    return dict(parse_qsl(urlsplit(link).query))
