"""A site's part in sums over sites: what it answered in each step of a round, kept through every interruption.

Owns the folder of a round and that a step is answered once. Must not know who asks, what a policy grants, nor how the
numbers are made.

A folder holds the round's own chance, from which its masks are made again after a kill, and each answer with the
question that it answers: to the same question the same answer is given again, to another one none.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from client.peers import Peers, new_key, read_key, write_key
from common.errors import UserError
from common.files import atomic_write, locked
from common.privacy.moments import Floats
from common.privacy.sharing import derived, pad
from common.privacy.summation import Site
from common.wire import AddToSum, CloseSum, Code, Masked, Opened, OpenSum, Refused, Shared, Summing, SumStep, as_tensor

SUMS = "sums"
CHANCE, LOCK, PRIVATE = "chance", ".lock", 0o600
STEPS = tuple(step.model_fields["kind"].default for step in (OpenSum, AddToSum, CloseSum))

Plain = Mapping[str, Any]


@dataclass(frozen=True)
class _Given:
    """A question and the answer to it, as plain data."""

    asked: Plain
    answer: Plain


class RoundFolder:
    """Where a site's part in one round lives; its name is that of run and round, so that each is used once."""

    def __init__(self, state: Path, summing: Summing) -> None:
        self._path = state / SUMS / f"{summing.tuning.run}@{summing.name}"

    def answered(self, request: SumStep, make: Callable[[], Plain]) -> Plain:
        """The answer to this step, made once; the steps before it must be answered, and of the same sum."""
        asked = request.model_dump(mode="json")
        with locked(self._path / LOCK):
            for step in STEPS[: STEPS.index(request.kind)]:
                before = self.given(step)
                if before is None or before.asked["summing"] != asked["summing"]:
                    raise Refused(Code.ANSWERED, where=f"{request.kind} of {self._path.name}, {step} comes before it")
            given = self.given(request.kind)
            if given is None:
                given = _Given(asked, make())
                whole = {"asked": asked, "answer": given.answer}
                atomic_write(self._path / f"{request.kind}.json", json.dumps(whole).encode(), mode=PRIVATE)
            if given.asked != asked:
                raise Refused(Code.ANSWERED, where=f"{request.kind} of {self._path.name}")
            return given.answer

    def given(self, step: str) -> _Given | None:
        """What was asked in a step, and answered; None where nothing was."""
        try:
            told = json.loads((self._path / f"{step}.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return _Given(told["asked"], told["answer"])

    def begin(self) -> None:
        """Make the round's own chance, if a kill has not left it here."""
        if not (self._path / CHANCE).exists():
            write_key(self._path / CHANCE, new_key())

    def chance(self) -> "Chance":
        """What the round's masks are made of, the same again whenever it is asked for."""
        return Chance(read_key(self._path / CHANCE))


class Chance:
    """Bytes that nobody can guess, the same again from the same secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret, self._drawn = secret, 0

    def __call__(self, size: int) -> bytes:
        """So many bytes that were not given before."""
        self._drawn += 1
        return pad(derived(self._secret, str(self._drawn)), size)


@dataclass(frozen=True)
class Part:
    """One site's part in rounds.

    Args:
        state: the site's folder.
        brought: the numbers that it adds to a sum.
        known: whether it holds speech of each emotion.
        has_opened: whether this request was answered before, whatever has become of the answer.
    """

    state: Path
    brought: Callable[[Summing], Floats]
    known: Callable[[Summing], tuple[bool, ...]]
    has_opened: Callable[[OpenSum], bool]

    def take(self, request: SumStep) -> Opened | Masked | Shared:
        """Answer one step."""
        summing, folder = request.summing, RoundFolder(self.state, request.summing)
        match request:
            case OpenSum():
                return Opened(summing=summing, **folder.answered(request, lambda: self._open(folder, request)))
            case AddToSum():
                told = folder.answered(request, lambda: self._add(folder, request))
                words = as_tensor(np.frombuffer(bytes.fromhex(told["words"]), dtype="<u8").astype(np.uint64))
                return Masked(summing=summing, known=tuple(told["known"]), masked={"words": words})
            case CloseSum():
                return Shared(summing=summing, **folder.answered(request, lambda: self._close(folder, request)))

    def _open(self, folder: RoundFolder, request: OpenSum) -> Plain:
        if self.has_opened(request):  # the same masks over a second time would lay numbers bare
            raise Refused(Code.ANSWERED, where="its folder of the state is lost, and its masks are not used again")
        folder.begin()
        opening = self._site(folder, request.summing).open()
        return {"seals": _spelled(opening.seals), "keys": opening.keys.hex()}

    def _add(self, folder: RoundFolder, request: AddToSum) -> Plain:
        summing = request.summing
        _require_enough(len(request.seals) + 1, summing)
        site = self._site(folder, summing)
        site.open()
        with _sealed_by_others():
            site.check(_read(request.seals))  # before any speech is read
        masked = site.mask(self.brought(summing), _read(request.seals))
        return {"words": masked.astype("<u8").tobytes().hex(), "known": list(self.known(summing))}

    def _close(self, folder: RoundFolder, request: CloseSum) -> Plain:
        added = folder.given(STEPS[1])
        taking = {} if added is None else added.asked["seals"]
        if not {*request.present} <= {request.summing.tuning.session, *taking}:
            raise Refused(Code.BAD_FIELD, where="numbers of sites that take no part")
        _require_enough(len(request.present), request.summing)
        site = self._site(folder, request.summing)
        site.gone_on(_read(taking))
        return {"shares": _spelled(site.reveal(frozenset(request.present)))}

    def _site(self, folder: RoundFolder, summing: Summing) -> Site:
        return Site(summing.round, summing.tuning.session, keys_of(self.state, summing), folder.chance())


def keys_of(state: Path, summing: Summing) -> dict[str, bytes]:
    """By site, the key that is shared with each other one of a sum."""
    peers = Peers(state)
    found = {other: peers.key(other) for other in summing.others}
    if missing := [other for other, key in found.items() if key is None]:
        remedy = "exchange one with that site's steward: `eyesoff keeper peer`"
        raise Refused(Code.NO_KEY, where=", ".join(missing), remedy=remedy)
    return {other: key for other, key in found.items() if key is not None}


@contextmanager
def _sealed_by_others() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise Refused(Code.SEAL, where=error) from None


def _require_enough(count: int, summing: Summing) -> None:
    if count < summing.round.threshold:
        raise Refused(Code.TOO_FEW_SITES, where=f"{count} of {len(summing.sites)}")


def _spelled(parts: Mapping[str, bytes]) -> dict[str, str]:
    return {name: part.hex() for name, part in parts.items()}


def _read(parts: Mapping[str, str]) -> dict[str, bytes]:
    return {name: bytes.fromhex(part) for name, part in parts.items()}
