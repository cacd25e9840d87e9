"""A run that nobody opened: what a bare `flwr run` names, which is a preset and settings of it.

Owns how those are read, and which networks a configuration starts from where none are named. Must not know Flower.
"""

import re
from pathlib import Path

from common.config.loading import load_config
from common.config.tree import Config
from common.features.spaces import space_of
from common.spaces import Vectors
from common.training.pretrained import SHIPPED, fitting_weights, shipped_weights

KEY = "settings"
"""Of Flower's run configuration."""


def unnamed_config(preset: str, settings: str) -> Config:
    """The configuration of a preset after settings such as `seed=3; recognizer.iterations=100`."""
    return load_config(preset, overrides_in(settings), told_by=KEY)


def overrides_in(settings: str) -> list[str]:
    """One setting after the other; semicolons and lines part them, but not within quotes.

    >>> overrides_in('seed=3; corpus.emotions=["sad; or so", "angry"]')
    ['seed=3', 'corpus.emotions=["sad; or so", "angry"]']
    """
    parts = re.findall(r"""(?:"[^"]*"|'[^']*'|[^;\n"']|["'])+""", settings)
    return [part.strip() for part in parts if part.strip()]


def default_base(config: Config) -> Path:
    """The shipped networks of a configuration's sizes; where it reads vectors any of them, for they go unread."""
    if isinstance(space_of(config), Vectors):
        return shipped_weights(SHIPPED[0])
    return fitting_weights(config.network)
