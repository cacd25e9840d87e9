"""Sections of settings: one frozen model each, every setting with its bounds and its reason. The ground of `common`.

Owns types, bounds, illegal combinations and the hash of plain data. Must not know the whole configuration: nobody below
`common.config` sees that.

What the first paper leaves open is decided here and says so: search for "open in the paper".
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from common.section import Section as Section  # where everybody looks for it
from common.space import SAMPLE_RATE, SIDE


def _distinct(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(labels)) != len(labels):
        raise ValueError(f"one class is named twice: {', '.join(labels)}")
    return labels


def _given_once(options: tuple[str, ...]) -> tuple[str, ...]:
    keys = [option.partition("=")[0] for option in options]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"one option is given twice: {', '.join(twice)}")
    return options


Count = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]
Label = Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,23}$")]
Labels = Annotated[tuple[Label, ...], Field(min_length=2, max_length=16), AfterValidator(_distinct)]
Options = Annotated[tuple[Annotated[str, Field(pattern=r"^[^=]+=.+$")], ...], AfterValidator(_given_once)]
Augmentation = Literal["gain", "tilt"]
Statistic = Literal["loudness", "colour", "rhythm", "coupling", "ripple"]
Normalisation = Literal["session", "training", "public"]
Check = Literal["samples", "equals", "outliers", "labels"]

Skew = Literal["none"] | Annotated[float, Field(gt=0, le=1e6)]
SKEW = (
    "for study: concentration of a Dirichlet draw after which each session keeps its emotions, such as 1.0, or 0.3 "
    "for more skew; none keeps all"
)
AS_IT_IS = (("skip_bad", False), ("skew", "none"), ("skew_seed", 0))

EMOTIONS = ("neutral", "angry", "sad", "happy")
"""The paper's four, in the order of its Figure 3. The order is the meaning of every one-hot in the system."""


S = TypeVar("S", bound=Section)


def settings_from(kind: type[S], sections: Any) -> S:
    """A method's settings, from whatever has their sections as attributes, such as a whole configuration.

    A section that is not there is as the method has it.
    """
    names = [name for name in kind.model_fields if hasattr(sections, name)]
    return kind.model_validate({name: getattr(sections, name) for name in names})


def option_words(options: Options) -> dict[str, Any]:
    """Options as keywords.

    >>> option_words(("subset=train-clean-360",))
    {'subset': 'train-clean-360'}
    """
    return dict(option.split("=", 1) for option in options)


class CorpusConfig(Section):
    """Which speech a run is about; where it lies on this machine is `runtime.corpus_root`."""

    name: str = Field("builtin", description="a corpus name that `eyesoff corpus describe` knows")
    options: Options = Field((), description="of the layout, such as dialogs=improvised, or of a label, anger=angry")
    emotions: Labels = Field(EMOTIONS, description="label order: the meaning of every class number")
    skip_bad: bool = Field(False, description="go on without the recordings that cannot be used, as a site does")
    skew: Skew = Field("none", description=SKEW)
    skew_seed: Count = Field(0, description="of that draw")

    @model_serializer(mode="wrap")
    def _as_it_was_named(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A whole corpus is named as it was before a part of it could be left out."""
        tree: dict[str, Any] = handler(self)
        return {name: value for name, value in tree.items() if (name, value) not in AS_IT_IS}

    @property
    def classes(self) -> int:
        """How many emotions there are."""
        return len(self.emotions)


RETIRED = {
    "sample_rate": SAMPLE_RATE,
    "mels": SIDE,
    "mel_scale": "slaney",
    "patch_frames": SIDE,
    "padding": "repeat",
    "scaling": "public",
}
"""What older versions let features set, and what alone is left of it."""


Trimmed = Annotated[float, Field(ge=0, le=120, exclude_if=lambda decibels: decibels == 0)]
"""Told where it is asked for, so that features of before it are named as they were."""


PatchNormalisation = Annotated[
    Literal["public", "session"], Field(exclude_if=lambda normalisation: normalisation == "public")
]
"""Told where it is not the paper's, as `Trimmed` is."""


class FeatureConfig(Section):
    """Waveform to patches (section 4.2 of the paper)."""

    window: Positive = Field(512, description="samples in a window: 32 ms")
    hop: Positive = Field(256, description="samples between windows: 16 ms")
    fft: Positive = Field(512, description="points of the Fourier transform")
    floor: float = Field(1e-7, gt=0, lt=1, description="smallest mel power before the logarithm")
    trim: Trimmed = Field(0.0, description="cuts off ends so many decibels below the loudest frame; 0 cuts nothing")
    normalisation: PatchNormalisation = Field(
        "public",
        description="public: scaled by the extremes of public speech, as in the paper; session: each session's mean "
        "spectrum is made that of public speech first, by its own unlabelled speech, so that nothing leaves for it",
    )

    @model_validator(mode="before")
    @classmethod
    def _without_retired(cls, tree: Any) -> Any:
        """What an older version wrote is read, if it says what is fixed now."""
        if not isinstance(tree, dict):
            return tree
        return {name: value for name, value in tree.items() if RETIRED.get(name, ...) != value}

    @model_validator(mode="after")
    def _window_fits(self) -> Self:
        if self.window > self.fft:
            raise ValueError(f"window ({self.window}) is longer than fft ({self.fft})")
        if self.hop > self.window:
            raise ValueError(f"hop ({self.hop}) is longer than window ({self.window}): speech would be skipped")
        return self


class VectorConfig(Section):
    """Waveform to one vector an utterance, where a run's methods read vectors instead of patches."""

    set: str = Field(
        "functionals",
        pattern=r"^[A-Za-z0-9][^\s=]{0,255}$",
        description="which numbers: functionals, opensmile:<set or .conf>, ssl:<folder or name>",
    )
    options: Options = Field((), description="of the set, such as layer=9")
    trim: float = Field(
        40.0,
        ge=0,
        le=120,
        description="decibels below the loudest frame at which silence begins that is cut off at both ends; 0 cuts "
        "nothing, and then a corpus's pauses are in every mean",
    )
    normalisation: Normalisation = Field(
        "session",
        description="by whose mean and deviation: session, each by its own unlabelled speech, so that nothing leaves "
        "for it; training, by what a model is fitted to, which is released beside it; public, by public speech",
    )


class NetworkConfig(Section):
    """The paper's Table 1; `width` scales its channels and its wide linear layer together."""

    width: float = Field(1.0, gt=0, le=1, description="1 is the paper's size; 64 * width channels come first")
    noise: Positive = Field(128, le=4096, description="the latent's dimension, N_z")
    leak: float = Field(0.2, ge=0, lt=1, description="slope of the leaky ReLU below zero; open in the paper")

    @model_validator(mode="after")
    def _whole_channels(self) -> Self:
        if (64 * self.width) % 1:
            raise ValueError(f"width {self.width} leaves a fraction of a channel: use k/64, such as 0.125 or 0.0625")
        return self


class OptimizerConfig(Section):
    """Adam, shared by every stage."""

    beta1: float = Field(0.5, ge=0, lt=1, description="decay of the mean of gradients")
    beta2: float = Field(0.99, ge=0, lt=1, description="decay of the mean of their squares")


class AutoencoderConfig(Section):
    """Stage one: L1 reconstruction, condition zero."""

    iterations: Count = 200_000
    batch: Positive = 32
    learning_rate: Rate = 5e-5


class AdversarialConfig(Section):
    """Stage two: WGAN-GP, condition zero, equal steps, unequal rates."""

    iterations: Count = 200_000
    batch: Positive = 32
    generator_learning_rate: Rate = 2e-6
    discriminator_learning_rate: Rate = 2e-5
    penalty: float = Field(10.0, ge=0, description="coefficient of the gradient penalty")
    average: float = Field(0.0, ge=0, lt=1, description="decay of the averaged generator that is kept; 0 is off")


class PretrainingConfig(Section):
    """Both unlabelled stages."""

    corpus: str = Field("librispeech", description="an unlabelled corpus; its extremes scale every feature")
    options: Options = Field((), description="of the layout, such as subset=train-clean-360")
    autoencoder: AutoencoderConfig = AutoencoderConfig()
    adversarial: AdversarialConfig = AdversarialConfig()


class FinetuningConfig(Section):
    """Stage three: one-hot conditions against a K+1 softmax, at the client.

    Open in the paper: emotions are drawn evenly, and there is no gradient penalty, for a softmax is no critic and
    spectral norm bounds it already.
    """

    iterations: Count = Field(20_000, description="open in the paper")
    batch: Positive = 32
    generator_learning_rate: Rate = 2e-6
    discriminator_learning_rate: Rate = 2e-5
    condition_gain: float = Field(
        1.0,
        gt=0,
        le=100,
        description="what a one-hot condition is multiplied by; beside a latent of N_z numbers it is weak, and a short "
        "tuning ends before the generator listens to it; a release has it folded into its weights",
    )
    average: float = Field(0.0, ge=0, lt=1, description="decay of the averaged generator that is released; 0 is off")
    instance_noise: float = Field(
        0.0,
        ge=0,
        le=4,
        description="deviation, in scaled units, of the noise over all that the discriminator is shown, real and fake "
        "alike: it then has to tell emotions by what is large, and a generator cannot please it with fine patterns",
    )
    even_start: bool = Field(
        False, description="the condition's weights, which pre-training never moved, begin at zero instead of by chance"
    )
    likeness: tuple[Statistic, ...] = Field(
        (),
        description="statistics in which made speech of an emotion is held to the site's own: the distance between "
        "them joins the generator's loss, so that it, not only the discriminator, sees real speech; empty is off",
    )
    released_as: Literal["fp16", "bf16", "fp32"] = Field("fp16", description="number format of a release")


class ChatziagapiConfig(Section):
    """The earlier GAN of Chatziagapi et al. (Interspeech 2019), at the run's width: what the paper is compared with."""

    code: Positive = Field(100, description="the autoencoder's code, which is the GAN's latent")
    dropout: float = Field(0.2, ge=0, lt=1)
    batch: Positive = Field(32, description="open in their paper")
    autoencoder_iterations: Count = Field(20_000, description="open in their paper")
    autoencoder_learning_rate: Rate = Field(5e-5, description="of Adam, for the autoencoder")
    iterations: Count = Field(20_000, description="of the GAN; open in their paper")
    learning_rate: Rate = Field(1e-6, description="of the GAN, both networks")


class SamplingConfig(Section):
    """What is drawn from the bank to train the recognizer."""

    per_emotion: Positive = Field(40_000, description="samples an emotion in a fold's pool, over all generators")
    latent_scale: float = Field(1.0, gt=0, le=3, description="standard deviation of the latents")


class RecognizerConfig(Section):
    """The SER network (section 4.3): the discriminator's body, trained from scratch."""

    iterations: Count = Field(30_000, description="open in the paper; three decades of its learning rate")
    batch: Positive = 32
    learning_rate: Rate = 1e-5
    decay_every: Positive = Field(10_000, description="steps after which the learning rate is multiplied")
    decay_factor: float = Field(0.1, gt=0, le=1, description="by this")
    window_hop: Positive = Field(32, description="frames between test windows")
    bands: Literal[16, 32, 64, 128] = Field(
        128,
        description="how many bands of a spectrum it tells apart; fewer hide harmonics, of which tuned generators "
        "make hardly any",
    )
    augmentation: tuple[Augmentation, ...] = Field(
        (), description="what changes by chance in each example of a step: gain (loudness), tilt (colour); empty is off"
    )


AtSite = Literal["none", "copying", "noise", "smote", "sa", "sar", "sarm", "sarb", "sars"]
"""What makes more of recordings where they are, before a fit."""
MADE_OF_ONE = 4
Augmented = Annotated[AtSite, Field(exclude_if=lambda method: method == "none")]
MadeOfOne = Annotated[int, Field(ge=1, le=100, exclude_if=lambda most: most == MADE_OF_ONE)]
"""Both told where they are asked for, so that what there was before them is named as it was."""


class MethodsConfig(Section):
    """What sites fit, what is trained on what they release, and how speech is cut to test that."""

    synthesizer: str = Field("eskimez", description="one that `eyesoff synthesizers` lists")
    recognizer: str = Field("cnn", description="one that `eyesoff recognizers` lists")
    protocol: str = Field("leave-one-session-out", description="one that `eyesoff protocols` lists")
    augmentation: Augmented = Field(
        "none",
        description="what a site makes of its recordings before it fits, so that its emotions are alike in number; "
        "nothing of it leaves but what the fit releases",
    )
    made_of_one: MadeOfOne = Field(MADE_OF_ONE, description="of that, the most that is made of one recording")


Logger = Literal["tensorboard", "mlflow", "wandb"]


class RuntimeConfig(Section):
    """How a result is computed, never what it is: left out of every hash."""

    corpus_root: str = Field("", description="folder of the corpus; empty for the built-in one")
    noises: str = Field(
        "", description="folder of background noises for sa, sar, sarm and sarb; empty for five public speakers at once"
    )
    cache: str = Field(
        "",
        description="folder of features and other things that can be made again; empty is eyesoff "
        "in $XDG_CACHE_HOME, or where the system keeps caches",
    )
    device: str = Field(
        "auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$", description="auto, cpu, cuda or cuda:N; auto is a GPU where one is"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field("auto", description="auto: bf16 where the processor has it")
    threads: Count = Field(0, description="torch threads; 0 is one for each core")
    workers: Count = Field(0, description="feature extraction processes; 0 is one for each core")
    loggers: tuple[Logger, ...] = Field(
        (),
        description="where curves of trainings go beside the run's own files: tensorboard, mlflow, wandb; never what "
        "happens at a client",
    )

    def unnamed_run(self, number: int) -> Path:
        """The directory of a run that was started with a bare `flwr run`: Flower's number tells it from others."""
        return self.cache_folder / "runs" / str(number)

    @property
    def cache_folder(self) -> Path:
        """Where the cache lies on this machine."""
        if self.cache:
            return Path(self.cache).expanduser()
        from platformdirs import user_cache_path

        return user_cache_path("eyesoff", appauthor=False)


class CampaignConfig(Section):
    """How hard a server tries to hear from its clients: left out of every hash."""

    quorum: Positive = Field(2, description="generators without which no recognizer is trained")
    attempts: Positive = Field(2, description="how often a client is asked before it counts as failed")
    ask_seconds: float = Field(600.0, gt=0, description="longest wait for clients and for what they have")
    tune_seconds: float = Field(86_400.0, gt=0, description="longest wait for one round of tunings")
    score_seconds: float = Field(3_600.0, gt=0, description="longest wait for one round of scorings")
    client_threads: Positive = Field(1, description="torch threads of a simulated client; sums depend on them")
    pool_gigabytes: float = Field(20.0, gt=0, description="disk that kept samples may fill")
    checks: tuple[Check, ...] = Field(
        ("samples", "equals", "outliers", "labels"),
        description="what a release must pass to be trained on: samples of it that something can be learnt from, "
        "weights that no other site sent, samples not far from all others', labels that mean what the others' mean",
    )


LEAST_OF_A_ROW = 2
"""Its name and its mode."""


class CompareConfig(Section):
    """What a comparison is of where its command names nothing, and what it adds: left out of every hash."""

    modes: tuple[str, ...] = Field(
        (), description="rows, as `--modes` names them; empty for all that the paper speaks of, or that make vectors"
    )
    rows: tuple[tuple[str, ...], ...] = Field(
        (),
        description="further rows: each a name, a mode as --modes spells it, settings of its own as --set has them",
    )
    quality: bool = Field(True, description="measure samples beside real speech")
    audited: bool = Field(
        False, description="attack what each row of vectors releases, by fits to halves of the speech"
    )

    @model_validator(mode="after")
    def _rows_are_told_apart(self) -> Self:
        if any(len(row) < LEAST_OF_A_ROW for row in self.rows):
            raise ValueError("a row has a name and a mode at the least")
        names = [row[0] for row in self.rows]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"rows of the same name: {', '.join(twice)}")
        return self


def hash_identity(identity: Mapping[str, Any]) -> str:
    """A short stable hash of plain data.

    >>> hash_identity({"a": 1, "b": 2}) == hash_identity({"b": 2, "a": 1})
    True
    """
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
