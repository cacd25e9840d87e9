"""The built-in corpus: a synthetic stand-in for emotional speech, so that everything runs with no download.

No person speaks in it, and no scientific claim rests on it.
"""

from common.corpora.builtin.example import write_example
from common.corpora.builtin.making import generate

__all__ = ["generate", "write_example"]
