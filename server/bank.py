"""The bank: a folder of the generators that came back, and what is known of each.

Owns the folder's layout, and that nothing half-written or altered passes for a release. Must not know how a release was
asked for, nor what is drawn from it.

A release is stored as the very bytes that left the client, so its SHA-256 is the one in the client's ledger. Its card
is written after it: a file without a card was never banked.
"""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import AwareDatetime, Field, ValidationError
from torch import Tensor

from common.errors import UserError, UserErrors
from common.files import atomic_json, atomic_write, write_through
from common.settings import Section
from common.wire import Card, Limits, Refused, Release, Tuning, check_weights, decode, needs_base, parts
from server import bases

WEIGHTS, CARD, INDEX = ".safetensors", ".json", "index.json"
QUARANTINE = "quarantine"
LIMITS = Limits(2**63)
"""Sizes are bounded where releases arrive; what lies here is judged by its hash."""


class Banked(Section):
    """A release in the bank: its name, its file's facts, its papers."""

    name: str
    sha256: str
    bytes: int
    received: AwareDatetime
    cut_from: str = Field("", exclude_if=lambda name: not name, description="the release that this was made smaller of")
    card: Card

    @property
    def run(self) -> str:
        """The run that asked for it."""
        return self.card.tuning.run

    @property
    def session(self) -> str:
        """The session whose speech it was tuned to."""
        return self.card.tuning.session


@dataclass(frozen=True)
class Finding:
    """What is wrong with one thing in the bank."""

    name: str
    problem: str


class Bank:
    """One bank; generators are loaded one by one, when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, release: Release, *, cut_from: str = "") -> Banked:
        """Store a release that passes the checks; storing the same one again changes nothing."""
        banked = _described(release).model_copy(update={"cut_from": cut_from})
        for other in self.banked(banked.run):
            if other.name == banked.name:
                return other
            if other.session == banked.session:
                remedy = f"remove {other.name} first, or start another run"
                raise UserError(f"run {banked.run} has a release of {banked.session} already", remedy=remedy)
        self._store(banked, release)
        return banked

    def quarantine(self, release: Release, reason: str) -> Banked:
        """Keep a release that is not to be drawn from, apart and with the reason."""
        banked, aside = _described(release), Bank(self.folder / QUARANTINE)
        aside._store(banked, release)
        _give_reason(aside.folder / banked.name, reason)
        return banked

    def banked(self, run: str | None = None) -> tuple[Banked, ...]:
        """The cards of all releases, or of one run's, by session; no weights are read."""
        cards, problems = self._cards()
        if problems:
            remedy = f"`eyesoff bank verify {self.folder} --quarantine` puts it aside"
            raise UserErrors(f"{self.folder}: unreadable cards; {remedy}", [f"{f.name}: {f.problem}" for f in problems])
        return tuple(banked for banked in cards if run in (None, banked.run))

    def get(self, name: str) -> Banked:
        """The card of one release."""
        for banked in self.banked():
            if banked.name == name:
                return banked
        raise UserError("no such release", where=f"{name} in {self.folder}", remedy="`eyesoff bank list` names them")

    def load(self, banked: Banked) -> Release:
        """One release with its generator, checked as on arrival; let it go before the next is loaded."""
        path = self._path(banked.name, WEIGHTS)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise UserError("cannot read a release", where=path, remedy=error.strerror) from None
        problem = _other_size(len(data), banked)
        if not problem and hashlib.sha256(data).hexdigest() != banked.sha256:
            problem = "altered: its hash is not its card's"
        if problem:
            raise UserError(problem, where=path, remedy="put it aside with `eyesoff bank verify --quarantine`")
        release = decode(data, Release, LIMITS, kept=True)
        if release.card != banked.card:
            raise UserError("its card tells something else than its own papers", where=path)
        return release

    def keep_base(self, weights: Mapping[str, Tensor]) -> None:
        """Store the public networks that small releases here differ from."""
        bases.keep(self.folder, weights)

    def base(self, tuning: Tuning) -> dict[str, Tensor]:
        """The public networks without which a release is not whole; none where it is."""
        return bases.find(self.folder, tuning.weights) if tuning.weights and needs_base(tuning) else {}

    def verify(self) -> tuple[Finding, ...]:
        """Everything that is wrong in the bank, loading one generator at a time."""
        cards, findings = self._cards()
        for banked in cards:
            try:
                self.load(banked)
                self.base(banked.card.tuning)
            except UserError as error:
                findings.append(Finding(banked.name, str(error)))
        named = {path.stem for path in self._files(CARD)}
        for path in self._files(WEIGHTS):
            if path.stem not in named:
                findings.append(Finding(path.stem, "weights without a card: it was never banked"))
        findings += [Finding(path.name, "left behind by a write that was cut") for path in self._leftovers()]
        return tuple(findings)

    def cut(self) -> tuple[Finding, ...]:
        """Releases whose file is gone or of another size than their card says; none is read."""
        findings = []
        for banked in self.banked():
            path = self._path(banked.name, WEIGHTS)
            problem = _other_size(path.stat().st_size, banked) if path.is_file() else "its file is gone"
            if problem:
                findings.append(Finding(banked.name, problem))
        return tuple(findings)

    def remove(self, name: str) -> None:
        """Forget a release; the card goes first, so that nothing half-removed passes for one."""
        self.get(name)
        for suffix in (CARD, WEIGHTS):
            self._path(name, suffix).unlink(missing_ok=True)

    def files(self, banked: Banked) -> tuple[Path, ...]:
        """Where a release lies, card and weights."""
        return self._path(banked.name, CARD), self._path(banked.name, WEIGHTS)

    def put_aside(self, finding: Finding) -> None:
        """Move what a finding names into quarantine, with the reason."""
        aside = self.folder / QUARANTINE
        aside.mkdir(exist_ok=True)
        for path in (self._path(finding.name, CARD), self._path(finding.name, WEIGHTS), self.folder / finding.name):
            if path.is_file():
                path.replace(aside / path.name.lstrip("."))
        _give_reason(aside / finding.name.lstrip("."), finding.problem)

    def reject(self, data: bytes, session: str, error: Refused) -> Path:
        """Keep an answer that did not pass the checks on arrival, apart and with the reason."""
        name = f"{session}-{hashlib.sha256(data).hexdigest()[:12]}"
        path = self.folder / QUARANTINE / f"{name}.rejected"
        atomic_write(path, data)
        _give_reason(path.with_suffix(""), str(error))
        return path

    def prune(self) -> tuple[str, ...]:
        """Delete the quarantine and what cut writes left behind; the answer names what is gone."""
        aside = self.folder / QUARANTINE
        gone = [path.name for path in sorted(aside.glob("*"))] if aside.is_dir() else []
        shutil.rmtree(aside, ignore_errors=True)
        for path in self._leftovers():
            path.unlink()
            gone.append(path.name)
        return tuple(gone)

    def _store(self, banked: Banked, release: Release) -> None:
        """The weights, then the card."""
        weights = self._path(banked.name, WEIGHTS)
        write_through(weights, lambda stream: stream.writelines(parts(release)))
        try:
            atomic_json(self._path(banked.name, CARD), banked.model_dump(mode="json"))
        except UserError:
            weights.unlink()
            raise

    def _cards(self) -> tuple[list[Banked], list[Finding]]:
        if not self.folder.is_dir():
            return [], []
        cards, findings = [], []
        for path in self._files(CARD):
            try:
                banked = Banked.model_validate_json(path.read_bytes())
            except (OSError, ValidationError):
                findings.append(Finding(path.stem, "its card cannot be read"))
                continue
            if banked.name == path.stem:
                cards.append(banked)
            else:
                findings.append(Finding(path.stem, f"its card is that of {banked.name}"))
        return sorted(cards, key=lambda banked: (banked.session, banked.name)), findings

    def _files(self, suffix: str) -> list[Path]:
        return sorted(
            path for path in self.folder.glob(f"*{suffix}") if not path.name.startswith(".") and path.name != INDEX
        )

    def _leftovers(self) -> list[Path]:
        return sorted(path for path in self.folder.glob(".*") if path.is_file())

    def _path(self, name: str, suffix: str) -> Path:
        return self.folder / f"{name}{suffix}"


def _other_size(size: int, banked: Banked) -> str:
    """What is wrong with a file of this size, if anything."""
    return "" if size == banked.bytes else f"cut or grown: {size} bytes, its card says {banked.bytes}"


def _described(release: Release) -> Banked:
    """The card of a release that passes the checks of its weights."""
    check_weights(release, LIMITS)
    digest, size = hashlib.sha256(), 0
    for part in parts(release):
        digest.update(part)
        size += len(part)
    sha256, received = digest.hexdigest(), datetime.now(UTC).replace(microsecond=0)
    name = f"{release.card.tuning.session}-{sha256[:12]}"
    return Banked(name=name, sha256=sha256, bytes=size, received=received, card=release.card)


def _give_reason(beside: Path, reason: str) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    atomic_json(beside.with_name(f"{beside.name}.reason.json"), {"reason": reason, "time": now})
