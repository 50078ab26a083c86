"""Going on by hand from a branch that a search dropped: all paths begin with its codes, in its order.

The codes of the branch are given instead of chosen; each keeps the probability that it has among the codes allowed at
its parent, so the restored node has the log-probability of the path that was dropped. Its belief is computed and
compared with nothing: comparisons with theta start at the first step after it. From there on the search is the usual
one, with its whole beam below the restored node.

A branch as text is its codes in order, "3.117-5.20" (codebook.code), as links name nodes.
"""

import re
from dataclasses import replace

from reg4rec_core.analysis.attribution import Question
from reg4rec_core.types import InputError

_STEP = re.compile(r"([0-9]{1,9})\.([0-9]{1,9})", re.ASCII)

Branch = tuple[tuple[int, int], ...]
"""(codebook, code) of each step from the root; () is the root, where every search starts."""


def format_branch(branch: Branch) -> str:
    """A branch as text for a link; "" for the root."""
    return "-".join(f"{codebook}.{code}" for codebook, code in branch)


def parse_branch(text: str) -> Branch:
    """A branch from its text; InputError when it says something else."""
    pieces = text.strip().split("-") if text.strip() else []
    found = [_STEP.fullmatch(piece) for piece in pieces[:1000]]
    if not all(found):
        raise InputError(f"a branch reads CODEBOOK.CODE-CODEBOOK.CODE-..., got {text.strip()[:40]!r}; correct it")
    return tuple((int(step.group(1)), int(step.group(2))) for step in found if step)


def ask_from(question: Question, branch: Branch) -> Question:
    """The question searched from a branch on; steer it first, if at all.

    InputError when the run has no such codes, or they lead to no item that may be recommended.
    """
    if not branch:
        return question
    index, text = question.index, format_branch(branch)[:80]
    codebooks = [codebook for codebook, _ in branch]
    if max(codebooks) >= index.n_codebooks or max(code for _, code in branch) >= index.codebook_size:
        bounds = f"codebooks below {index.n_codebooks} and codes below {index.codebook_size}"
        raise InputError(f"a branch needs {bounds}, got {text!r}; choose another")
    if len(set(codebooks)) < len(codebooks):
        raise InputError(f"a branch has at most one code of every codebook, got {text!r}; correct it")
    agree = index.codes[:, codebooks] == index.codes.new_tensor([code for _, code in branch])
    leads_to = agree.all(1).numpy().copy()
    leads_to[0] = False
    if question.config.exclude_history:
        leads_to[question.seen] = False
    if not leads_to.any():
        raise InputError(f"branch {text!r} leads to no item that may be recommended; choose another branch")
    return replace(question, branch=branch)
