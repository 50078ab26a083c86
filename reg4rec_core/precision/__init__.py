"""Number formats of linear layers during training, chosen for all or layer by layer (LADQ)."""

from reg4rec_core.precision.controller import PrecisionController
from reg4rec_core.precision.formats import FORMATS, Format
from reg4rec_core.precision.sensitivity import SampledLoss, linear_layers

__all__ = ["FORMATS", "Format", "PrecisionController", "SampledLoss", "linear_layers"]
