"""The trials of a configuration: what its protocol cuts from a corpus.

Owns when a fold's name says all of it, and what of a trial a reader must know. Must not know any protocol.
"""

from functools import partial

from common.config import Config
from common.corpora.manifest import Manifest, Utterance
from common.corpora.skew import warn_of_skew
from common.protocols import Trial, protocol
from common.settings import FeatureConfig, MethodsConfig
from common.spaces import Space, Vectors


def trials_of(config: Config, manifest: Manifest) -> tuple[Trial, ...]:
    """Of the configuration's protocol, whose draws are the same for every seed of a comparison."""
    one = protocol(config.methods.protocol)
    return one.trials(manifest, one.settings_of(config), config.seed)


def leak_of(trial: Trial) -> str:
    """What a reader of a trial's scores must know of its speakers; nothing where no speaker stands on both sides."""
    if not trial.shared:
        return ""
    both = "speaker stands" if len(trial.shared) == 1 else "speakers stand"
    return f"{len(trial.shared)} {both} in both train and test, so scores say too much"


def is_usual(config: Config) -> bool:
    """Whether folds are the sessions by their names: then a name says all that a unit reads of the protocol."""
    one = protocol(config.methods.protocol)
    return one.name == MethodsConfig().protocol and one.settings_of(config) == one.Settings()


def skew_warning(space: Space, features: FeatureConfig, manifest: Manifest) -> str | None:
    """That sessions are normalised by themselves though some lack emotions; nothing where that is not so."""
    if (space.scale if isinstance(space, Vectors) else features.normalisation) != "session":
        return None
    sessions = {name: manifest.where(partial(_is_of, name)) for name in manifest.sessions}
    return warn_of_skew({name: part.counts for name, part in sessions.items()})


def _is_of(session: str, utterance: Utterance) -> bool:
    return utterance.session == session
