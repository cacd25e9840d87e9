"""The directory of a campaign's run: what was ordered, how it goes, what came out.

Owns the files' names and the refusal to mix two runs in one place. Must not know how letters travel.

    config.toml     every setting             bank/           the generators that came back
    order.json      what was ordered          recognizers/    one a fold
    events.jsonl    how it goes, line by line counts/         what the clients answered
                                              campaign.json   the outcome
"""

import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from common.config import Config, load_config
from common.config.showing import as_toml
from common.errors import UserError, UserErrors
from common.files import atomic_json, atomic_write
from common.training.checkpoint import differences
from common.training.pretrained import load_pretrained
from common.wire import Working
from server.campaign import PLANS, Campaign, Failure
from server.clients import Clients

CONFIG, ORDER, EVENTS, LOCK = "config.toml", "order.json", "events.jsonl", ".lock"


@dataclass(frozen=True)
class Order:
    """What a run was ordered to do, beside its configuration."""

    name: str
    base: str
    expected: int
    plan: str = "leave-one-out"
    per_speaker: bool = False


def open_run(folder: Path, config: Config, order: Order, *, resume: bool) -> None:
    """Begin in an empty directory, or go on in the same run's own; nothing else."""
    if order.plan not in PLANS:
        raise UserError("no such plan", where=order.plan, remedy=f"there are {', '.join(PLANS)}")
    if (folder / ORDER).exists():
        if not resume:
            remedy = "go on with --resume, or choose another directory with --run"
            raise UserError("a run has begun here already", where=folder, remedy=remedy)
        stored, _ = read_run(folder)
        if problems := list(differences(stored.identity(), config.identity())):
            raise UserErrors(f"{folder}: this run has another configuration", problems)
    elif folder.is_dir() and any(folder.iterdir()):
        raise UserError("the run directory holds something else", where=folder, remedy="choose an empty one")
    atomic_write(folder / CONFIG, as_toml(config).encode())
    atomic_json(folder / ORDER, asdict(order))


def read_run(folder: Path) -> tuple[Config, Order]:
    """What a directory was opened with."""
    try:
        order = Order(**json.loads((folder / ORDER).read_text(encoding="utf-8")))
    except (FileNotFoundError, TypeError, ValueError):
        raise UserError("not the directory of a run", where=folder, remedy=f"it has no readable {ORDER}") from None
    return load_config(folder / CONFIG), order


def run_campaign(folder: Path, clients: Clients) -> dict[str, Any]:
    """The campaign that the directory describes, alone in it."""
    config, order = read_run(folder)
    with _alone(folder):
        campaign = Campaign(
            name=order.name,
            folder=folder,
            config=config,
            base=load_pretrained(Path(order.base), config),
            clients=clients,
            watcher=EventFile(folder / EVENTS),
            plan=PLANS[order.plan],
            per_speaker=order.per_speaker,
        )
        return campaign.run(order.expected)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two campaigns in one directory would ask every client twice."""
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError("another run is at work in this directory", where=folder, remedy="wait for it") from None
        yield


class EventFile:
    """Tells how a campaign goes in a file that a terminal, here or elsewhere, can follow."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        self._write(event="stage", stage=name, total=total)

    def done(self, name: str, unit: str) -> None:
        """A unit is done."""
        self._write(event="done", stage=name, unit=unit)

    def working(self, client: str, working: Working) -> None:
        """A client is at work."""
        self._write(event="working", unit=client, step=working.step, iterations=working.iterations, rate=working.rate)

    def failed(self, failure: Failure) -> None:
        """A client failed."""
        self._write(event="failed", unit=failure.client, stage=failure.stage, reason=failure.reason)

    def _write(self, **event: object) -> None:
        line = json.dumps({"time": time.time(), **event})
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
