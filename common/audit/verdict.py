"""What an audit says of a release: let it go, keep it, or that it cannot tell.

Owns the three verdicts, the limits that lead to them, and their words. Must not know how anything was measured.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from common.audit.findings import Findings, most
from common.settings import Section

Score = Literal["density", "reconstruction"]
Word = Literal["release", "refuse", "cannot-tell"]
PLANTED = 0.005, 0.01, 0.02, 0.05
"""Shares of samples that are exchanged for copies, to see which the audit notices."""

FOUND_AGAIN = 0.5
"""Of the distance to what a twin made itself: where more is left, reconstruction is blind."""

WORDS: dict[Word, str] = {
    "release": "nothing was found, and a leak of a size that matters would have been seen",
    "refuse": "it gives away who was in the data",
    "cannot-tell": "this audit cannot tell whether it gives anything away",
}


class Limits(Section):
    """What is a leak, and what an audit must be able to see to say that there is none."""

    twins: int = Field(8, ge=4, le=64, description="fits to half of the utterances, by coins; more see smaller leaks")
    auc: float = Field(
        0.60, gt=0.5, lt=1, description="chance of telling a member from an outsider above which it is a leak"
    )
    flagged: float = Field(
        0.01, gt=0, lt=0.5, description="corrected p-value below which one utterance counts as given away"
    )
    epsilon: float = Field(3.0, gt=0, le=64, description="a lower bound of epsilon above it is a leak")
    utterances: int = Field(20, ge=8, description="with fewer, no audit can tell that there is no leak")
    speakers: int = Field(8, ge=1, description="with fewer, nothing can be said of a speaker, so none is released")
    samples: int = Field(4096, ge=256, le=65_536, description="drawn from each twin")
    minutes: int = Field(240, ge=1, description="of work; an audit that takes longer cannot tell")


class Verdict(Section):
    """One audit's, fixed once."""

    word: Word
    reasons: tuple[str, ...] = Field(description="why, a line each; they stay at the site")
    auc: float | None = None
    low: float | None = None
    high: float | None = None
    worst: float | None = None
    epsilon: float | None = None
    noticed: float | None = Field(None, description="the smallest share of planted copies that was noticed")
    by_score: dict[Score, float] = Field({}, description="the chance to tell a member from an outsider, by each score")
    recovered: float | None = Field(None, description="of the distance to a twin's own samples, what was left")

    def lines(self) -> Iterator[str]:
        """For a person: the word, why, and what was measured."""
        yield f"{WORDS[self.word]}:"
        yield from (f"  {reason}" for reason in self.reasons)
        if self.auc is not None:
            yield f"  told apart: {self.auc:.3f} of pairs of a member and an outsider [{self.low:.3f}, {self.high:.3f}]"
            yield f"  the best told utterance: p = {self.worst:.2g}; epsilon is at least {self.epsilon:.2f}"
            if len(self.by_score) > 1:
                yield "  by each attack: " + ", ".join(f"{name} {auc:.3f}" for name, auc in self.by_score.items())
            awake = "no copies" if self.noticed is None else f"copies in {self.noticed:.1%} of samples"
            yield f"  awake: {awake} would have been noticed; they were planted as a test of the audit"


def judged(
    scored: Mapping[Score, Findings],
    noticed: float | None,
    speakers: int,
    limits: Limits,
    recovered: float | None = None,
) -> Verdict:
    """A leak that any score sees is refused whatever else; what may only be unseen is not called safe."""
    found = most(list(scored.values()))
    leaks = _leaks(found, limits)
    doubts = [] if leaks else _doubts(found, noticed, speakers, limits)
    if not leaks and recovered is not None and recovered > FOUND_AGAIN:
        doubts.append(f"reconstruction does not find a twin's own samples again: {recovered:.0%} of the way is left")
    word: Word = "refuse" if leaks else "cannot-tell" if doubts else "release"
    calm = (
        f"at most {found.high:.2f} of pairs are told apart, of {limits.auc:.2f} allowed; "
        f"copies in {noticed or 0:.1%} of the samples would have been noticed"
    )
    return Verdict(
        word=word,
        reasons=tuple(leaks or doubts or [calm]),
        auc=found.auc,
        low=found.low,
        high=found.high,
        worst=found.worst,
        epsilon=found.epsilon,
        noticed=noticed,
        by_score={name: one.auc for name, one in scored.items()},
        recovered=recovered,
    )


def unable(reason: str) -> Verdict:
    """An audit that came to nothing."""
    return Verdict(word="cannot-tell", reasons=(reason,))


def is_noticed(found: Findings, before: Findings, limits: Limits) -> bool:
    """Whether more is seen than without the copies: far less than a leak."""
    flagged = found.worst <= limits.flagged < before.worst
    return found.low > max(0.5, before.auc) or flagged


def _leaks(found: Findings, limits: Limits) -> list[str]:
    leaks = []
    if found.low > limits.auc:
        what = f"members are told from outsiders in at least {found.low:.2f} of pairs, of {limits.auc:.2f} allowed"
        leaks.append(what)
    if found.worst <= limits.flagged:
        leaks.append(f"one utterance is given away (p = {found.worst:.2g} after correction)")
    if found.epsilon > limits.epsilon:
        leaks.append(f"no epsilon below {found.epsilon:.1f} is possible, of {limits.epsilon:g} allowed")
    return leaks


def _doubts(found: Findings, noticed: float | None, speakers: int, limits: Limits) -> list[str]:
    doubts = []
    if speakers < limits.speakers:
        doubts.append(f"{speakers} speakers are too few to tell of a speaker; {limits.speakers} are asked for")
    if found.high > limits.auc:
        doubts.append(f"up to {found.high:.2f} of pairs could be told apart, of {limits.auc:.2f} allowed")
    if noticed is None:
        doubts.append(f"copies in {PLANTED[-1]:.0%} of the samples would not have been noticed")
    return doubts
