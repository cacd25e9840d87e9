"""`results.json`: what a comparison, a campaign or a bootstrapped recognizer came to.

Owns its form and its version: it is written and read here alone, and everybody else holds a `Results`. Must not know
how any of it was computed, nor how it is shown.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from common.errors import UserError
from common.files import atomic_json
from common.protocols import Point
from common.scoring import Metric, Summary

SCHEMA = 5
OLDEST = 4
"""4 kept the time by the clock among the stages; 3 and 2 knew less, and 1 was what `eyesoff simulate` wrote."""
RESULTS = "results.json"
Matrix = list[list[int]]
"""Counts [true][predicted]."""
Counts = dict[str, dict[str, dict[str, Matrix]]]
"""Seed (as text) to fold to speaker to a matrix."""
What = Literal["comparison", "campaign", "bootstrap"]
NO_TEST = "the very speakers that were trained on, so no test"
"""The protocol of a run that scores nobody else, in words; each line with its scores says so too."""


@dataclass(frozen=True)
class Tested:
    """The test part of a fold; `utterances` counts by emotion."""

    name: str
    speakers: list[str]
    utterances: list[int]


@dataclass(frozen=True)
class Attack:
    """How well it is told who was in the speech: mean over audits, each of a site (or of all together) and a seed.

    `low` and `high` are means of their one-sided 95 % bounds, so the interval is wide rather than narrow.
    """

    auc: float
    low: float
    high: float
    epsilon: float
    """The largest that an audit rules out, 95 %: no smaller one could be claimed."""
    audits: int
    utterances: int
    """With coins, over places."""
    twins: int
    """Of an audit."""
    verdicts: dict[str, int] = field(default_factory=dict)
    """How many audits came to each verdict, under the limits that a site has unless its policy says otherwise."""
    by_score: dict[str, float] = field(default_factory=dict)
    """AUC of each attack, where there are several; the other numbers are of whichever tells more."""

    @property
    def words(self) -> str:
        """The verdicts, counted.

        >>> Attack(0.6, 0.5, 0.7, 0.0, 5, 90, 8, {"cannot-tell": 4, "refuse": 1}).words
        'cannot tell 4, refuse 1'
        """
        return ", ".join(f"{word.replace('-', ' ')} {count}" for word, count in self.verdicts.items())


@dataclass(frozen=True)
class Row:
    """A mode. Its scores are null where failures left no seed whole, or nothing was tested."""

    about: str
    synthesizer: str | None
    complete: bool
    whole_seeds: list[int]
    macro_f1: Summary | None = None
    uar: Summary | None = None
    accuracy: Summary | None = None
    pooled: dict[Metric, float] | None = None
    """Each on the counts of all folds added up, mean over seeds: it lacks an emotion only where every fold does."""
    confusion: Matrix | None = None
    """Counts over folds and whole seeds."""
    by_fold: dict[str, list[float]] | None = None
    """Fold to macro F1 of each whole seed."""
    stays: str = ""
    """Why its samples cannot leave the place of the recordings, where they cannot."""
    releases: int | None = None
    """What each site must release for it: how often, and bytes in all; nothing where it is not federated."""
    bytes: int | None = None
    epsilon: float | None = None
    """Of differential privacy for one utterance, and delta; nothing where nothing is promised."""
    delta: float | None = None
    attack: Attack | None = None

    @property
    def scores(self) -> dict[Metric, Summary]:
        """All three, or none."""
        if self.macro_f1 is None or self.uar is None or self.accuracy is None:
            return {}
        return {"macro_f1": self.macro_f1, "uar": self.uar, "accuracy": self.accuracy}


@dataclass(frozen=True)
class Difference:
    """Of two scores on the same folds and seeds, with the interval over speakers and p over trainings."""

    difference: float
    low: float
    high: float
    p_value: float
    pairs: int
    different: bool
    """The interval lacks zero, and p is below 0.05 among all differences that are told together."""
    holm: float | None = field(default=None, kw_only=True)
    """p after Holm's correction among those; nothing in results of before, where `different` was decided by p alone."""


@dataclass(frozen=True)
class Pair(Difference):
    """First minus second."""

    first: str
    second: str
    metric: Metric


@dataclass(frozen=True)
class Turned:
    """The federated mode with one setting at another value; the difference is other minus usual."""

    setting: str
    usual: Any
    other: Any
    complete: bool
    macro_f1: Summary | None
    difference: Difference | None


@dataclass(frozen=True)
class Gap:
    """How much of the way from floor to real a mode goes, in macro F1."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Measured:
    """A measure of samples, mean over folds."""

    mean: float
    std_over_folds: float | None


@dataclass(frozen=True)
class Quality:
    """Of the samples of a mode, or of a control, beside the real speech that the synthesizer was fitted to.

    `recognized` is the macro F1 of the real mode's recognizer on samples and the emotions they were asked for.
    """

    frechet: Measured | None
    kernel: Measured | None
    density: Measured | None
    coverage: Measured | None
    recognized: Measured | None
    generated: int
    """Samples a fold."""
    spread: Measured | None = None
    """Of vectors, as all that follow: how far samples of an emotion deviate, real ones being 1."""
    mmd: Measured | None = None
    """Maximum mean discrepancy a feature, to all real vectors of the training part (Yi & Mak 2020); lower is better."""
    mmd_floor: Measured | None = None
    """What it would be for as many real vectors."""
    metric_1_set_1: Measured | None = None
    """UAR of a linear machine trained on real vectors and tested on samples (Sahu et al. 2020); set 1 is what the
    synthesizer was fitted to, set 2 what it never saw. Higher is better."""
    metric_1_set_2: Measured | None = None
    metric_2_set_1: Measured | None = None
    """The same machine trained on samples and tested on real vectors; higher is better."""
    metric_2_set_2: Measured | None = None
    metric_3: Measured | None = None
    """Frechet distance in the third hidden layer of a network that knows all real vectors; lower is better."""
    nearness: Measured | None = None
    """Distance to the nearest vector that was fitted over that to the nearest unseen one; nearer to 0 remembers."""


@dataclass(frozen=True)
class Aside:
    """A client's generator that nothing was drawn from."""

    session: str
    seed: int
    reason: str


@dataclass(frozen=True)
class Failed:
    """What failed, and the modes that it was needed for."""

    unit: str
    modes: list[str]
    fold: str
    seed: int
    reason: str


@dataclass(frozen=True)
class Spent:
    """A stage's time of processor, as measured when each unit was computed."""

    seconds: float
    units: int
    cached: int


@dataclass(frozen=True)
class ArmRow:
    """A mode in an arm of a protocol, over folds, draws and seeds; `recall` is that of the arm's emotion."""

    macro_f1: Summary
    uar: Summary
    recall: float | None
    uars: list[float] = field(default_factory=list)
    """UAR of each training, a draw of a seed, mean over folds."""
    difference: Difference | None = None
    """Of UAR, from the real mode in the same arm; corrected among all arms and modes of the comparison. None where the
    arm has no samples that the mode could hear."""


@dataclass(frozen=True)
class Arm:
    """One condition of a protocol, such as the emotion of which most is gone."""

    name: str
    watched: str
    """The emotion whose recall it is about; nothing where it is about none."""
    modes: dict[str, ArmRow | None]
    """Null where failures left nothing whole."""
    point: Point | None = None
    """Where it stands in a figure of scores, where arms are amounts."""


@dataclass(frozen=True)
class Results:
    """All of it. Modes come in the order of the table, seeds and folds in the order of the protocol."""

    corpus: str
    preset: str
    identity: str
    """Hash of the configuration."""
    labels: list[str]
    seeds: list[int]
    settings: dict[str, Any]
    """The whole configuration but `runtime`, `campaign` and `pretraining`."""
    schema: int = SCHEMA
    what: What = "comparison"
    protocol: str = "leave one session out"
    """In words, with what a reader must know of the test."""
    averaged_over: str = ""
    """What macro F1 and UAR are means over, in words."""
    command: str = ""
    folds: list[Tested] = field(default_factory=list)
    modes: dict[str, Row] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    noised: bool = False
    """Whether a site's noise is in the counts, which then may be negative."""
    arms: list[Arm] = field(default_factory=list)
    """Of a protocol that has some; each draw counts as a seed. `modes` are then over all arms, where each makes another
    emotion rare, else those of the last one."""
    paired: list[Pair] = field(default_factory=list)
    ablations: list[Turned] = field(default_factory=list)
    gap_closed: dict[str, Gap | None] = field(default_factory=dict)
    """Null where the gap itself is not sure."""
    quality: dict[str, Quality] = field(default_factory=dict)
    quarantined: list[Aside] = field(default_factory=list)
    failures: list[Failed] = field(default_factory=list)
    seconds: dict[str, Spent] = field(default_factory=dict)
    wall: float = 0.0
    """Seconds of the last command alone."""
    environment: dict[str, str | int | float] = field(default_factory=dict)
    """Of all units; no name of a machine and no path."""
    pretrained: dict[str, Any] = field(default_factory=dict)
    """The networks that every tuning starts from: {sha256, seed, pretraining, data}, as their card tells."""


_FORM = TypeAdapter(Results)


def plain(results: Results) -> dict[str, Any]:
    """As the file has it."""
    return asdict(results)


def write_results(run: Path, results: Results) -> None:
    """Put them into the run's folder."""
    atomic_json(run / RESULTS, plain(results))


def read_results(path: Path) -> Results:
    """The results of a run, by its folder or by the file itself; those of the schema before are read too."""
    file = path / RESULTS if path.is_dir() else path
    try:
        told: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        schema = told.get("schema")
        if schema in range(OLDEST, SCHEMA + 1):
            return _FORM.validate_python(_upgraded(told))
    except FileNotFoundError:
        raise UserError("no results", where=file, remedy="run `eyesoff compare` or `simulate` first") from None
    except (OSError, ValueError, AttributeError, KeyError, ValidationError):
        raise UserError("results that cannot be read", where=file, remedy=f"make them anew: {_maker({})}") from None
    remedy = f"make them anew, what is computed already stays: {_maker(told)}"
    raise UserError(f"results of schema {schema}, not {SCHEMA}", where=file, remedy=remedy)


def _upgraded(told: Mapping[str, Any]) -> dict[str, Any]:
    if told["schema"] == SCHEMA:
        return dict(told)
    stages = {name: spent for name, spent in told["seconds"].items() if name != "wall"}
    return {**told, "schema": SCHEMA, "seconds": stages, "wall": told["seconds"]["wall"]}


def _maker(told: Mapping[str, Any]) -> str:
    """The command that wrote such a file, as far as it says."""
    usual = "eyesoff simulate --resume" if told.get("schema") == 1 else "eyesoff compare"
    return f"`{told.get('command') or usual}`"
