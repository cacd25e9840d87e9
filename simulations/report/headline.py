"""The answer in a sentence, and what must be said beside it.

Owns those words. Must not know how numbers were computed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from common.audit.verdict import Limits
from common.protocols import PROTOCOLS, protocol
from common.scoring import Score
from simulations.comparison.arms import counted
from simulations.comparison.modes import FLOOR, REAL
from simulations.comparison.schema import NO_TEST, Results
from simulations.report.published import PAPER, is_the_papers, share_of_real
from simulations.report.wording import interval, many, percent, percents, score

STAND_IN = "builtin"
ANSWERING = ("federated", "centralized")
FEW: int = Limits.model_fields["speakers"].default
"""Speakers below which an audit of a site says nothing either."""


@dataclass(frozen=True)
class Headline:
    """One sentence, those that support it, and warnings without which it would mislead."""

    answer: str
    support: tuple[str, ...]
    warnings: tuple[str, ...]

    @classmethod
    def of(cls, results: Results, shares: Mapping[str, Score]) -> "Headline":
        """From what is stored."""
        name = next((name for name in answering(results) if name in shares), None)
        warnings = tuple(_warnings(results))
        if name is None and REAL not in results.modes:
            return cls(_alone(results), (), warnings)
        if name is None:
            return cls(f"{_missing(results)}, so this run cannot say what synthetic speech is worth.", (), warnings)
        found = shares[name]
        score_of_real = "the score that real speech gives" + " without them" * is_beside(results)
        answer = (
            f"Trained on {_samples(results, name)}, a recognizer reaches {percent(found.value)} of {score_of_real}."
        )
        return cls(answer, tuple(_support(results, name, found)), warnings)


def answering(results: Results) -> tuple[str, ...]:
    """The modes that answer, first the best answer: the paper's, or those of the configured synthesizer.

    Never the one that scored best: that would be a choice by the test.
    """
    chosen = results.settings.get("methods", {}).get("synthesizer")
    return (*ANSWERING, f"{chosen}, federated", str(chosen))


def is_beside(results: Results) -> bool:
    """Whether the protocol lays samples beside real speech, so that no recognizer hears them alone."""
    name = results.settings.get("methods", {}).get("protocol")
    return name in PROTOCOLS and protocol(name).beside


def _samples(results: Results, name: str) -> str:
    if is_beside(results):
        return f"real speech with synthetic samples beside it ({name})"
    return f"{name} synthetic speech alone" if name in ANSWERING else f"synthetic speech alone ({name})"


def _alone(results: Results) -> str:
    """The score of one mode that nothing stands beside."""
    for name in answering(results):
        if name in results.modes and (found := results.modes[name].macro_f1):
            reached = f"macro F1 {score(found.mean)} ({interval(found.low, found.high)}), n = {found.n} utterances"
            where = f", on {NO_TEST}" if results.protocol == NO_TEST else ""
            return f"Trained on {_samples(results, name)}, a recognizer reaches {reached}{where}."
    missing = "Real speech was not" if any(mode.macro_f1 for mode in results.modes.values()) else "Nothing was"
    return f"{missing} tested, so this run cannot say what synthetic speech is worth."


def _missing(results: Results) -> str:
    scored = {name for name, mode in results.modes.items() if mode.macro_f1}
    missing = [name for name in (REAL, ANSWERING[0]) if name not in scored]
    return f"No score of {' and '.join(missing)}" if missing else "Real speech scored nothing"


def _support(results: Results, name: str, share: Score) -> Iterator[str]:
    real, mode = results.modes[REAL].macro_f1, results.modes[name].macro_f1
    if real is None or mode is None:
        return
    speakers = sum(len(fold.speakers) for fold in results.folds)
    yield (
        f"Macro F1 is {score(mode.mean)} ({interval(mode.low, mode.high)}) against "
        f"{score(real.mean)} ({interval(real.low, real.high)}); the 95 % interval of "
        f"their ratio is {percents(share.low, share.high)}. n = {share.n} utterances of {many(speakers, 'speaker')}, "
        f"{many(mode.folds, 'fold')}, {counted(results, results.modes[name].whole_seeds)}."
    )
    closed = results.gap_closed.get(name)
    if closed:
        yield (
            f"Between the floor, a pre-trained generator with random labels, and real speech it closes "
            f"{percent(closed.value)} of the gap ({percents(closed.low, closed.high)}, n = {closed.n})."
        )
    elif FLOOR in results.modes:
        yield "No share of the gap between floor and real speech is given: that there is a gap is not sure."
    if name in ANSWERING and is_the_papers(results):
        yield f"The paper's ratio, on IEMOCAP, is {percent(share_of_real(name))} ({PAPER})."


def _warnings(results: Results) -> Iterator[str]:
    if results.corpus == STAND_IN:
        yield (
            "The corpus is a synthetic stand-in, made by a program that imitates voices. "
            "No scientific claim is made about it; these numbers show that the machinery works."
        )
    if aside := results.quarantined:
        yield f"{many(len(aside), 'generator')} of clients not trained on: the reasons stand under Put aside."
    if results.failures:
        yield f"{many(len(results.failures), 'unit')} failed: the reasons stand under Failures."
    if len(results.seeds) == 1:
        yield "One seed: no interval here speaks of the luck of training, so all of them are too short."
    tested = {speaker for fold in results.folds for speaker in fold.speakers}
    if len(tested) < FEW:
        yield f"{many(len(tested), 'speaker')}: an interval over so few is too short. Take the numbers as a first try."
    if len(results.folds) == 1:
        yield "One fold: only its speakers were tested, and a deviation over folds cannot be given."
