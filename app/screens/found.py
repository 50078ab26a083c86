"""A search that the Reasoning page shows, with what stays the same along all its paths."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from app.screens.asked import Asked
from app.session import searches
from app.view_models import history
from app.view_models import reasoning as view
from app.view_models.by_hand import ByHand
from reg4rec_core import HISTORY_LENGTH, Attribution, ReasoningTrace


@dataclass(frozen=True)
class Found:
    """One search; what is told of it is made when it is first asked for, and once, however many steps are looked at."""

    asked: Asked
    by_hand: ByHand
    searched: searches.Searched

    @property
    def trace(self) -> ReasoningTrace:
        return self.searched.trace

    @cached_property
    def target(self) -> int:
        """The item that was really bought next."""
        return self.asked.run.recommender.target(self.asked.user, self.asked.at)

    @cached_property
    def bought(self) -> int:
        """Purchases before what is to be predicted."""
        return len(self.asked.run.recommender.history(self.asked.user, self.asked.at))

    @cached_property
    def cards(self) -> pd.DataFrame:
        """What the search reads, a row a purchase."""
        run, items = self.asked.run, self.asked.run.facets.catalog
        bought = view.history_cards(items, run.recommender.interactions, self.asked.user, self.bought)
        return history.edited_cards(bought, self.by_hand.edits, items, length=HISTORY_LENGTH)

    @property
    def first_place(self) -> int:
        """The place of the first card among all purchases."""
        return history.first_place(self.bought, self.by_hand.edits)

    @cached_property
    def attribution(self) -> Attribution:
        """What each purchase adds to each recommended item; takes a moment."""
        asked = self.asked
        return searches.influence(asked.run, asked.user, asked.at, asked.decode, self.by_hand)

    @cached_property
    def entries(self) -> list[dict[str, Any]]:
        """The list as it is drawn."""
        return view.recommendations(self.trace, self.asked.run.facets, self.target, self.searched.sources)
