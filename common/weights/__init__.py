"""Weights in the forms in which they leave: whole, or as a small difference to public ones.

Owns low rank and 8-bit rows. Must not know a synthesizer, nor how a message is spelled.
"""

from common.weights.forms import (
    ROWS,
    SCALES,
    Form,
    as_it_leaves,
    cut,
    largest_rank,
    restored,
    rounding,
    shapes_in,
)

__all__ = ["ROWS", "SCALES", "Form", "as_it_leaves", "cut", "largest_rank", "restored", "rounding", "shapes_in"]
