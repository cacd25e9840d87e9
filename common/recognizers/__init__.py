"""Models that hear emotion.

Owns the registry: one module a recognizer in `methods`, and other packages' by the entry point group
`eyesoff.recognizers`. Must not know whose speech they are tried on.
"""

from typing import Any

from common.recognizers.recognizer import Predictor, Recognizer
from common.registry import Registry

__all__ = ["RECOGNIZERS", "Predictor", "Recognizer", "recognizer"]

RECOGNIZERS: Registry[Recognizer[Any]] = Registry(
    "recognizer", "common.recognizers.methods", "RECOGNIZER", "eyesoff.recognizers", Recognizer
)


def recognizer(name: str) -> Recognizer[Any]:
    """One of the registry."""
    return RECOGNIZERS.get(name)
