"""What becomes of the releases of a campaign: banked, or put aside with a reason before anything is trained on them.

Owns `quarantine.json`, which says what was put aside and why, and when each check is made. Must not know a check's
limits, nor who is asked for what.

What was put aside stays so whenever the campaign is resumed: until its entry is deleted, or its check switched off.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.config import Config
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.networks.allocation import give_back
from common.settings import Section
from common.wire import Release, WireError, weights_digest
from server.bank import Bank, Banked, Finding
from server.checks import Statistics, draw, fault_of, statistics_of
from server.outliers import mislabelled, outlying
from server.samplers import sampler_of

QUARANTINE = "quarantine.json"
POOL = "pool"
"""The check that is always made: what the pool is given are numbers."""


class Aside(Section):
    """A release that is not trained on; `check` names what found it."""

    session: str
    check: str
    reason: str
    name: str
    weights: str

    def __str__(self) -> str:
        return f"{self.session} is put aside: {self.reason}"

    def told(self) -> dict[str, str]:
        """What hangs on the weights alone, for results."""
        return self.model_dump(include={"session", "check", "reason"})


@dataclass(frozen=True)
class _Look:
    """What is known of a release beside its papers."""

    weights: str
    fault: str
    statistics: Statistics
    known: tuple[int, ...]


_FILE = TypeAdapter(dict[str, list[Aside]])


class Intake:
    """One campaign's."""

    def __init__(self, folder: Path, bank: Bank, config: Config, tell: Callable[[Aside], object]) -> None:
        self._file, self._bank, self._config, self._tell = folder / QUARANTINE, bank, config, tell
        self._looks: dict[str, _Look] = {}
        self.aside = {one.session: one for one in self._read() if one.check in (POOL, *config.campaign.checks)}

    def banked(self, run: str) -> dict[str, Banked]:
        """Session to release, of those that came before this run was stopped and may be used."""
        there = {one.session: one for one in self._bank.banked(run)}
        for session, one in self.aside.items():
            if session in there and there[session].name == one.name:  # killed between the entry and the move
                self._bank.put_aside(Finding(one.name, one.reason))
                del there[session]
        return there

    def take(self, release: Release) -> Banked | None:
        """Bank what can be learnt from; None for what is put aside."""
        look = self._look_at(release)
        give_back()  # what is kept of a look lies between much that is not: else a release costs half a megabyte
        unread = not look.statistics  # which no choice of checks makes fit to be drawn from
        if not (look.fault and (unread or "samples" in self._config.campaign.checks)):
            banked = self._bank.add(release)
            self._looks[banked.name] = look
            return banked
        banked = self._bank.quarantine(release, look.fault)
        self._write([_aside(banked, "samples", look.fault, look.weights)])
        return None

    def sifted(self, releases: Mapping[str, Banked]) -> dict[str, Banked]:
        """Those that may be used beside each other; again and again, for the odd ones out hide one another."""
        left = dict(releases)
        while found := self._odd_ones(left):
            left = self._without(left, found)
        give_back()  # before recognizers are trained, when the most is asked for
        return left

    def unpoolable(self, name: str, releases: Mapping[str, Banked]) -> dict[str, Banked]:
        """All but the one of this name, of which a sample was no number."""
        banked = next(one for one in releases.values() if one.name == name)
        return self._without(releases, {banked.session: (POOL, "a sample that was drawn for the pool is not finite")})

    def _odd_ones(self, releases: Mapping[str, Banked]) -> dict[str, tuple[str, str]]:
        """Session to the check that it fails, and the reason."""
        checks = self._config.campaign.checks
        looks = {session: self._look_again(banked) for session, banked in releases.items()} if checks else {}
        faulty = {session: look.fault for session, look in looks.items() if look.fault}
        found = {session: ("samples", fault) for session, fault in faulty.items() if "samples" in checks}
        if "equals" in checks:
            found |= {session: ("equals", reason) for session, reason in self._equal(looks).items()}
        statistics = {session: look.statistics for session, look in looks.items() if session not in faulty}
        if not found and "outliers" in checks:
            found |= {session: ("outliers", reason) for session, reason in outlying(statistics).items()}
        if not found and "labels" in checks:
            known = {session: looks[session].known for session in statistics}
            found |= {session: ("labels", reason) for session, reason in mislabelled(statistics, known).items()}
        return found

    def _equal(self, looks: Mapping[str, _Look]) -> dict[str, str]:
        """All of those that are one generator: whose it is, nobody here can know."""
        holders: dict[str, set[str]] = {}
        for session, weights in (
            *((session, look.weights) for session, look in looks.items()),
            *((session, one.weights) for session, one in self.aside.items()),
        ):
            holders.setdefault(weights, set()).add(session)
        return {
            session: f"its weights are those of {', '.join(sorted(others))}"
            for session, look in looks.items()
            if (others := holders[look.weights] - {session})
        }

    def _without(self, releases: Mapping[str, Banked], found: Mapping[str, tuple[str, str]]) -> dict[str, Banked]:
        """Put aside what was found: written down at once, so that a kill leaves all of it or nothing to do again."""
        named = [
            _aside(releases[session], *why, self._look_again(releases[session]).weights)
            for session, why in found.items()
        ]
        self._write(named)
        for one in named:
            self._bank.put_aside(Finding(one.name, one.reason))
        return {session: banked for session, banked in releases.items() if session not in found}

    def _look_again(self, banked: Banked) -> _Look:
        """At one that came before this run was stopped, if so."""
        if banked.name not in self._looks:
            self._looks[banked.name] = self._look_at(self._bank.load(banked))
        return self._looks[banked.name]

    def _look_at(self, release: Release) -> _Look:
        """Latents hang on the weights, so that no weights can be made to fit them."""
        weights, tuning = weights_digest(release.weights()), release.card.tuning
        device = Acceleration.of(self._config.runtime).device
        known = tuple(number for number, knows in enumerate(release.card.known) if knows)
        try:
            sampler = sampler_of(release, self._bank.base(tuning), device)
        except WireError as error:  # a small release, of which no weight was looked at on arrival
            return _Look(weights, f"its weights are not those of a release: {error}", {}, known)
        samples = draw(sampler, known, self._config.seed, tuning.run, tuning.session, weights)
        return _Look(weights, fault_of(samples, tuning.space), statistics_of(samples, tuning.space), known)

    def _write(self, named: list[Aside]) -> None:
        self.aside = dict(sorted((self.aside | {one.session: one for one in named}).items()))
        atomic_json(self._file, {"aside": [one.model_dump() for one in self.aside.values()]})
        for one in named:
            self._tell(one)

    def _read(self) -> list[Aside]:
        """What cannot be read was put aside for reasons that will be found again."""
        try:
            return _FILE.validate_json(self._file.read_bytes()).get("aside", [])
        except (OSError, ValidationError):
            return []


def _aside(banked: Banked, check: str, reason: str, weights: str) -> Aside:
    return Aside(session=banked.session, check=check, reason=reason, name=banked.name, weights=weights)
