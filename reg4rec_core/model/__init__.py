"""Codes -> distributions over codes, items and categories."""

from reg4rec_core.model.encoder_decoder import DecodedPath, EncoderDecoder
from reg4rec_core.model.reasoner import Reasoner, ReasoningState

__all__ = ["DecodedPath", "EncoderDecoder", "Reasoner", "ReasoningState"]
