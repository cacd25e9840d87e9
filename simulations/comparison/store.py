"""Where units lie: a folder each, named by its identity, that counts as done when its card stands in it.

Owns the layout of that folder. Must not know how a unit is computed.

    <kind>/<key>/card.json        done: which unit, seconds, steps
                 release/         weights of a synthesizer        ledger.jsonl    what left the client (tune)
                                                                  aside.json      why it is not drawn from (tune)
                 recognizer/      weights of a recognizer         counts.json     speaker -> counts (score)
                 metrics.jsonl    its training                    quality.json, shown/    (quality)
                 predictions.json  path -> probabilities (score)          attack.json      findings (audit)
                 snapshots/, site/, pool/                         while it is at work
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common.errors import UserError
from common.files import atomic_json, locked
from common.networks.acceleration import Acceleration
from simulations.comparison.units import Unit

CARD, SPENT = "card.json", "spent.json"
RELEASE, RECOGNIZER, SHOWN = "release", "recognizer", "shown"
LEDGER, METRICS, COUNTS, QUALITY = "ledger.jsonl", "metrics.jsonl", "counts.json", "quality.json"
ASIDE, ATTACK = "aside.json", "attack.json"
SNAPSHOTS, POOL, SITE = "snapshots", "pool", "site"
UNTOLD = "not told"
"""The precision of a unit of a version that did not write it down."""


@dataclass(frozen=True)
class Store:
    """A folder of units; several runs may share one, one after another."""

    folder: Path

    def where(self, unit: Unit) -> Path:
        """A unit's own folder."""
        return self.folder / unit.kind / unit.key

    def card(self, unit: Unit) -> dict[str, Any] | None:
        """Of a unit that is done."""
        return _read(self.where(unit) / CARD)

    def finish(self, unit: Unit, seconds: float) -> None:
        """Drop what only the work needed; the card comes last."""
        folder = self.where(unit)
        for name in (SNAPSHOTS, POOL, SITE):
            shutil.rmtree(folder / name, ignore_errors=True)
        spent = self.spent(unit) + seconds
        (folder / SPENT).unlink(missing_ok=True)
        card = {"unit": str(unit), "seconds": round(spent, 3), "steps": unit.steps, "identity": dict(unit.identity)}
        precision = Acceleration.of(unit.config.runtime).precision
        atomic_json(folder / CARD, card | {"precision": precision})

    def spend(self, unit: Unit, seconds: float) -> None:
        """Remember the time of work that was cut."""
        atomic_json(self.where(unit) / SPENT, {"seconds": self.spent(unit) + seconds})

    def spent(self, unit: Unit) -> float:
        """Seconds of earlier work on a unit that is not done."""
        return float((_read(self.where(unit) / SPENT) or {"seconds": 0.0})["seconds"])

    def read(self, unit: Unit, name: str) -> dict[str, Any]:
        """A JSON file of a unit that is done."""
        data = _read(self.where(unit) / name)
        if data is None:
            remedy = f"delete {self.where(unit)} and run again: it is computed anew"
            raise UserError(f"{unit}: its result cannot be read", where=self.where(unit) / name, remedy=remedy)
        return data

    def aside(self, unit: Unit) -> str:
        """Why a generator is not drawn from; nothing, where it is."""
        return str((_read(self.where(unit) / ASIDE) or {"reason": ""})["reason"])

    def precisions(self, units: Iterable[Unit]) -> list[str]:
        """In which number formats those that are done were computed: more than one is another protocol a unit."""
        cards = filter(None, map(self.card, units))
        return sorted({str(card.get("precision", UNTOLD)) for card in cards})

    def rates(self) -> dict[tuple[str, str], float]:
        """Seconds a training step (or a unit, where there is none) by kind and subject, of all that is done here."""
        sums: dict[tuple[str, str], list[float]] = {}
        for path in self.folder.glob(f"*/*/{CARD}"):
            card = _read(path)
            if card is not None:
                identity = card["identity"]
                both = sums.setdefault((identity["kind"], identity["subject"]), [0.0, 0.0])
                both[0] += card["seconds"]
                both[1] += max(card["steps"], 1)
        return {name: seconds / steps for name, (seconds, steps) in sums.items()}

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Two comparisons at work on the same units would tread on each other's snapshots."""
        remedy = "wait for it, or choose another --units"
        with locked(self.folder / ".lock", wait=False, taken="another comparison is at work here", remedy=remedy):
            yield


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data
