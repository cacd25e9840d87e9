"""Settings beyond the paper's recipe, each turned the other way alone, to see what it is worth in federated training.

Owns which settings these are, and which two values each is tried at. Must not know how a comparison computes anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from common.config import Config
from common.config.showing import spell
from common.errors import UserError
from common.settings import Statistic

SWITCHES: Mapping[str, tuple[Any, Any]] = {
    "finetuning.condition_gain": (1.0, 12.0),
    "sampling.latent_scale": (1.0, 1.3),
    "finetuning.average": (0.0, 0.98),
    "finetuning.instance_noise": (0.0, 0.6),
    "finetuning.even_start": (False, True),
    "finetuning.likeness": ((), get_args(Statistic)),
    "recognizer.augmentation": ((), ("tilt", "gain")),
    "recognizer.bands": (128, 32),
}
"""The paper's value, and one that a configuration with the paper's is tried at."""
EVERY = "all"


@dataclass(frozen=True)
class Ablation:
    """One setting at another value than the configuration's."""

    setting: str
    usual: Any
    other: Any

    @property
    def name(self) -> str:
        """As `--set` would have it."""
        return f"{self.setting}={spell(self.other)}"

    def of(self, config: Config) -> Config:
        """The same configuration, but for this."""
        section, _, key = self.setting.partition(".")
        tree = config.model_dump()
        tree[section][key] = self.other
        return Config.model_validate(tree)


def choose_ablations(names: Sequence[str], config: Config) -> tuple[Ablation, ...]:
    """By the names of their settings, or every one: without what the configuration has, and with what it lacks."""
    known = [*SWITCHES, EVERY]
    if unknown := [name for name in names if name not in known]:
        raise UserError("no such setting to turn", where=", ".join(unknown), remedy=f"there are {', '.join(known)}")
    return tuple(_turned(name, config) for name in SWITCHES if name in names or EVERY in names)


def _turned(setting: str, config: Config) -> Ablation:
    section, _, key = setting.partition(".")
    usual, (papers, alternative) = getattr(getattr(config, section), key), SWITCHES[setting]
    return Ablation(setting, usual, alternative if usual == papers else papers)
