"""Codes -> distributions over codes, items and categories."""

from reg4rec_core.model.encoder_decoder import DecodedPath, EncoderDecoder
from reg4rec_core.model.reasoner import Reasoner, ReasoningState
from reg4rec_core.model.transitions import SparseRows, Transitions

__all__ = ["DecodedPath", "EncoderDecoder", "Reasoner", "ReasoningState", "SparseRows", "Transitions"]
