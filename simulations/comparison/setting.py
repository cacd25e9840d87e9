"""What all units of a comparison stand on: configuration, corpus, folds, pre-trained networks.

Owns the checks that must hold before anything is computed. Must not know modes or units.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path

from common.augmentation.backgrounds import Behind
from common.config import Config
from common.config.unnamed import default_base
from common.corpora import labelled_corpus
from common.corpora.labels import in_short
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.scaling import Scaling
from common.features.spaces import SpeechFeatures, features_in, space_of_kinds
from common.protocols import Trial
from common.recognizers import recognizer
from common.spaces import Space, Vectors
from common.training.pretrained import Pretrained, load_pretrained, pretrained_hash
from simulations.progress import Counting
from simulations.trials import is_usual, leak_of, skew_warning, trials_of


@dataclass(frozen=True)
class Setting:
    """The same for every unit, in whichever process; sums depend on the threads, so each unit has one."""

    config: Config
    manifest: Manifest
    base: Path

    @cached_property
    def space(self) -> Space:
        """What every recognizer here reads."""
        return space_of_kinds(recognizer(self.config.methods.recognizer).spaces, self.config)

    @cached_property
    def features(self) -> SpeechFeatures:
        """From the cache, where the comparison put them before it began."""
        return _features(self)

    def extract(self, progress: Counting) -> None:
        """Put them into the cache, unless they are there."""
        _features(self, progress)

    @property
    def scaling(self) -> Scaling | None:
        """Of patches, by the networks that they are for; vectors have theirs in their space."""
        return None if isinstance(self.space, Vectors) else self.pretrained.scaling

    @property
    def scaled(self) -> dict[str, float]:
        """The same as plain data."""
        return {} if self.scaling is None else asdict(self.scaling)

    @cached_property
    def pretrained(self) -> Pretrained:
        """What every tuning starts from."""
        return load_pretrained(self.base, self.config.network, self.config.features, self.config.corpus.classes)

    @cached_property
    def base_hash(self) -> str:
        """Of the pre-trained weights."""
        return pretrained_hash(self.base)

    @cached_property
    def manifest_hash(self) -> str:
        """Of every row of the corpus."""
        return self.manifest.content_hash()

    @cached_property
    def folds(self) -> dict[str, Trial]:
        """By title, which in the usual protocol is the session that is left out."""
        return {trial.title: trial for trial in trials_of(self.config, self.manifest)}

    @cached_property
    def is_usual(self) -> bool:
        """Whether a fold's name says all about it."""
        return is_usual(self.config)

    @cached_property
    def fitted_at(self) -> dict[str, str]:
        """Title of a trial to that of the first one whose synthesizers have heard the same."""
        firsts: dict[str, str] = {}
        return {title: firsts.setdefault(one.fitted.content_hash(), title) for title, one in self.folds.items()}

    def is_measured(self, trial: Trial) -> bool:
        """Whether samples are measured in a trial: the first of those whose synthesizers have heard the same.

        Of several draws of the same arm, the first one alone: measuring takes longer than many a fit.
        """
        return self.fitted_at[trial.title] == trial.title and trial.repeat <= 1

    @cached_property
    def background(self) -> Behind:
        """What is heard behind recordings that get background noise."""
        return Behind(self.config.runtime.noises)

    def of_seed(self, seed: int) -> Config:
        """The configuration of one seed."""
        return self.config.model_copy(update={"seed": seed})

    def part(self, session: str, trial: str = "") -> Manifest:
        """One session's speech, or what of it synthesizers hear in a trial."""
        heard = self.folds[trial].fitted if trial else self.manifest
        return heard.where(lambda utterance: utterance.session == session)

    def warnings(self) -> list[str]:
        """What somebody should know before anything is computed."""
        leaks = [f"fold {one.title}: {leak}" for one in self.folds.values() if (leak := leak_of(one))]
        skew = skew_warning(self.space, self.config.features, self.manifest)
        return [*left_out(self.manifest), *leaks, *([skew] if skew else [])]


def left_out(manifest: Manifest) -> list[str]:
    """What of a corpus is not used, and why, on a line; no line where all of it is."""
    return [f"left out, for it cannot be used: {in_short(manifest.skipped)}"] if manifest.skipped else []


def prepare(config: Config, base: Path | None, progress: Counting) -> Setting:
    """Read and check all there is to check; the built-in corpus is made, features are extracted."""
    runtime = config.runtime.model_copy(update={"threads": 1})
    config = config.model_copy(update={"runtime": runtime})
    manifest = labelled_corpus(config.corpus, config.runtime, progress)
    setting = Setting(config, manifest, base or default_base(config))
    setting = replace(setting, manifest=_features(setting, progress).manifest)
    setting.manifest.require_every_label()
    _ = setting.folds
    if not isinstance(setting.space, Vectors):
        _ = setting.pretrained
    return setting


def _features(setting: Setting, progress: Counting | None = None) -> SpeechFeatures:
    config = setting.config
    return features_in(
        setting.space, setting.manifest, config, config.runtime, progress, skip_bad=config.corpus.skip_bad
    )


def choose_folds(setting: Setting, names: Sequence[str]) -> tuple[Trial, ...]:
    """Folds by the session they leave out; all where none is named."""
    known = dict.fromkeys(fold.name for fold in setting.folds.values())
    if unknown := [name for name in names if name not in known]:
        raise UserError("no such fold", where=", ".join(unknown), remedy=f"there are {', '.join(known)}")
    folds = tuple(fold for fold in setting.folds.values() if not names or fold.name in names)
    if sum(len(fold.test.speakers) for fold in folds) < 2:
        raise UserError("one speaker only has no interval", where=f"fold {folds[0].name}", remedy="name another fold")
    return folds
