"""The belief as HTML."""

from html import escape

import pytest
from small_shop import small_catalog, small_ids, small_interactions, small_trace

from app.components import belief
from app.view_models import reasoning, tree
from reg4rec_core import read_facets


def test_belief_bars_name_every_category_with_both_probabilities():
    facets, trace = read_facets(small_catalog(), small_ids(), small_interactions()), small_trace()
    for step in (0, 1, 2):
        rows = reasoning.belief_rows(trace, facets.catalog, tree.find_focus(trace, "", step))
        found = belief.belief_bars(rows, "light", title="R & D")
        assert found.count('class="name"') == found.count('class="before"') == len(rows) > 0
        assert rows["now"].sum() == pytest.approx(1)
        for category, before, now in rows[["category", "before", "now"]].itertuples(index=False):
            assert f'<div class="name" title="{escape(category)}">{escape(category)}</div>' in found
            assert f'title="now {now:.1%}, step before {before:.1%}"' in found
            assert f"width:calc({now:.4f}*" in found
        assert "R &amp; D" in found
