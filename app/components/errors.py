"""What a user can set right, told in a sentence."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from app.view_models.reasoning import sentence
from reg4rec_core import InputError


@contextmanager
def errors_in_words(*, way_back: Callable[[], None] | None = None, mild: bool = False) -> Iterator[None]:
    """An InputError of the block as a sentence, with a way back below it; `mild` where something is just not there.

    A fragment needs one of its own: Streamlit shows what leaves a fragment as a failure of the program.
    """
    try:
        yield
    except InputError as error:
        if mild:
            st.info(sentence(str(error)), icon=":material/info:")
        else:
            st.error(sentence(str(error)), icon=":material/error:")
        if way_back is not None:
            way_back()
