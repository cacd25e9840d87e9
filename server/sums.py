"""Sums over sites, led by the server: who takes part, whose numbers are there, and the release that a sum becomes.

Owns the order of a round's steps, and the folder in which every answer is kept as it comes, so that a run that was
stopped goes on in the same round. Must not know masks (`common.privacy.summation`) nor transport. What one site adds
is here under its masks alone, in memory and on disk; the sum is the first thing that can be read.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from common.errors import UserError
from common.files import atomic_json, atomic_write
from common.privacy.summation import FEWEST, Collector, Opening, from_grid
from common.protocols import Cut
from common.seeds import derive_seed
from common.wire import (
    AddToSum,
    Card,
    CloseSum,
    Limits,
    Masked,
    Opened,
    OpenSum,
    Release,
    Shared,
    Summing,
    SumStep,
    as_words,
    decode,
    encode,
    released_weights,
)
from server.correspondence import Correspondence, Question
from server.requests import Requests

FOLDER, ANSWER = "sums", ".safetensors"
STAGE = "sum"
ROOM = Limits(2**63)
"""Sizes are bounded where answers arrive."""

Answered = TypeVar("Answered", Opened, Masked, Shared)


def session_of(fold: str) -> str:
    """What the release of a sum is called where that of one site has its session."""
    return f"{STAGE}-{fold}"[:64]


def require_sites(folds: Sequence[Cut]) -> None:
    """Refuse to begin what cannot end."""
    if few := [fold.name for fold in folds if len(fold.train) < FEWEST]:
        remedy = "ask more sites, or choose the plan everyone"
        raise UserError(f"a sum needs {FEWEST} sites or more", where=f"fold {', '.join(few)}", remedy=remedy)


class Sums:
    """Those of one campaign.

    Args:
        folder: of the run.
        seconds: longest wait for one round of answers.
        seed: of the rounding of a release that leaves in few bits.
    """

    def __init__(self, folder: Path, requests: Requests, post: Correspondence, seconds: float, seed: int) -> None:
        self._folder, self._requests, self._post = folder / FOLDER, requests, post
        self._seconds, self._seed = seconds, seed

    def release(self, name: str, sites: Sequence[str], roster: Mapping[str, str]) -> Release:
        """What a sum over these sites becomes, or over those of them that stay; begun before, it is gone on with."""
        sums = _Round(self._folder / name, self._begun(name, sites), roster, self._post, self._seconds)
        collector, known = sums.collected()
        tuning = self._requests.tuning(session_of(name))
        weights = self._requests.made_of(from_grid(collector.total()))
        whole = Release(
            card=Card(
                tuning=tuning,
                known=tuple(any(one) for one in zip(*known.values(), strict=True)),
                utterances=None,
                seconds=0,
                sites=tuple(sorted(collector.present)),
            ),
            released=released_weights(tuning, weights, {}, derive_seed(self._seed, STAGE, name)),
        )
        return decode(encode(whole), Release, ROOM)  # in the number format of a release, as one that has come

    def known(self) -> dict[str, tuple[bool, ...]]:
        """By site, whether it holds speech of each emotion, as it has told in any round."""
        kept: dict[str, tuple[bool, ...]] = {}
        for path in sorted(self._folder.glob(f"*/{_kind(AddToSum)}/*{ANSWER}")):
            kept[path.stem] = _read(path, Masked).known
        return kept

    def _begun(self, name: str, sites: Sequence[str]) -> Callable[[str], Summing]:
        """By site, the terms of a round; a round that has begun keeps its sites."""
        path = self._folder / name / "sites.json"
        if not path.exists():
            atomic_json(path, {"sites": sorted(sites)})
        begun = _sites_in(path)
        return lambda site: self._requests.summing(site, name, begun)


class _Round:
    """One round, from what has come of it before to its sum."""

    def __init__(
        self,
        folder: Path,
        summing: Callable[[str], Summing],
        roster: Mapping[str, str],
        post: Correspondence,
        seconds: float,
    ) -> None:
        self._folder, self._summing, self._roster, self._post, self._seconds = folder, summing, roster, post, seconds
        self._sites = _sites_in(folder / "sites.json")
        self._round = summing(self._sites[0]).round

    def collected(self) -> tuple[Collector, dict[str, tuple[bool, ...]]]:
        """The server's part after the third step, and what each site whose numbers are there knows of emotions."""
        collector = Collector(self._round)
        for site, opened in self._step(Opened, self._sites, lambda site: OpenSum(summing=self._summing(site))).items():
            seals = {other: bytes.fromhex(seal) for other, seal in opened.seals.items()}
            collector.opened(Opening(site, seals, bytes.fromhex(opened.keys)))

        def to_add(site: str) -> AddToSum:
            seals = {other: seal.hex() for other, seal in collector.seals_for(site).items()}
            return AddToSum(summing=self._summing(site), seals=seals)

        added = self._step(Masked, sorted(collector.openings), to_add)
        for site, masked in added.items():
            collector.add(site, as_words(masked.masked["words"]))

        def to_close(site: str) -> CloseSum:
            return CloseSum(summing=self._summing(site), present=tuple(sorted(collector.present)))

        for site, shared in self._step(Shared, sorted(collector.present), to_close).items():
            try:
                collector.told(site, {other: bytes.fromhex(share) for other, share in shared.shares.items()})
            except UserError as error:  # of this site alone; enough others may be left
                self._post.fail(STAGE, str(error), client=self._roster.get(site, "?"), session=site)
        return collector, {site: masked.known for site, masked in added.items()}

    def _step(
        self, expected: type[Answered], sites: Sequence[str], ask: Callable[[str], SumStep]
    ) -> dict[str, Answered]:
        """By site, the answers of one step; when it is over, whoever answers later takes no part in it."""
        kind = ask(sites[0]).kind
        folder, over = self._folder / kind, self._folder / f"{kind}.json"
        told = {path.stem: _read(path, expected) for path in sorted(folder.glob(f"*{ANSWER}"))}
        if over.exists():
            return {site: told[site] for site in _sites_in(over, among=told)}
        questions = []
        for site in sites:
            if site in self._roster and site not in told:
                questions.append(Question(self._roster[site], site, ask(site)))
            elif site not in told:
                self._post.fail(STAGE, "no client holds this session now", client="?", session=site)
        for question, reply in self._post.replies(STAGE, questions, self._seconds):
            if isinstance(reply, expected):
                atomic_write(folder / f"{question.session}{ANSWER}", encode(reply))
                told[question.session] = reply
        if len(told) < self._round.threshold:  # and the step is not over: a resumed run asks the others again
            what = f"{len(told)} of {len(self._sites)} sites are left in a sum, {self._round.threshold} are needed"
            raise UserError(what, where=f"{self._folder.name}, {kind}", remedy="run again with --resume")
        atomic_json(over, {"sites": sorted(told)})
        return dict(sorted(told.items()))


def _kind(step: type[SumStep]) -> str:
    return str(step.model_fields["kind"].default)


def _sites_in(path: Path, among: Collection[str] | None = None) -> tuple[str, ...]:
    """The sites that a file names, at least one, and of those that are `among` others if that is said."""
    try:
        names = json.loads(path.read_bytes())["sites"]
    except (OSError, ValueError, KeyError, TypeError):
        names = None
    listed = isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    if listed and (among is None or set(names) <= set(among)):
        return tuple(names)
    remedy = "delete it, and run again with --resume and the same sites: they answer as they did"
    raise UserError("cannot read which sites a sum is over", where=path, remedy=remedy)


def _read(path: Path, expected: type[Answered]) -> Answered:
    return decode(path.read_bytes(), expected, ROOM)
