"""The directory of a campaign's run: what was ordered, how it goes, what came out.

Owns the files' names and the refusal to mix two runs in one place. Must not know how messages travel.

    config.toml     every setting             bank/           the generators that came back
    order.json      what was ordered          quarantine.json those that are not trained on, and why
    holders.json    whose key is for which    recognizers/    one a fold
                    session, if that is known counts/         what the clients answered
    events.jsonl    how it goes, line by line campaign.json   the outcome
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from common.config import Config, load_config
from common.config.showing import as_toml
from common.config.unnamed import default_base
from common.errors import UserError, UserErrors
from common.features.spaces import space_of
from common.files import atomic_json, atomic_write, locked, refuse_strangers
from common.networks.acceleration import Acceleration
from common.scoring.confusion import macro_f1
from common.spaces import Vectors
from common.training.checkpoint import differences
from common.training.loggers import require_loggers
from common.training.pretrained import (
    Pretrained,
    load_pretrained,
    pretrained_hash,
)
from server.campaign import Campaign
from server.clients import Clients
from server.events import EventFile
from server.plans import plan_names, plan_of
from server.roster import read_holders

CONFIG, ORDER, EVENTS, LOCK = "config.toml", "order.json", "events.jsonl", ".lock"
CAMPAIGN = "campaign"
"""What a run of this kind is called among its events."""


@dataclass(frozen=True)
class Order:
    """What a run was ordered to do, beside its configuration.

    Args:
        name: of the campaign.
        base: where the pre-trained networks lie.
        weights: their hash.
        expected: how many clients.
        speech: hash of the corpus, where the server is on the machine that holds it.
    """

    name: str
    base: str
    weights: str
    expected: int
    plan: str
    per_speaker: bool = False
    speech: str = ""


def open_run(folder: Path, config: Config, order: Order, *, resume: bool) -> None:
    """Begin in an empty directory, or go on in the same run's own; nothing else."""
    plan_of(order.plan, config)
    require_loggers(config.runtime.loggers)
    if (folder / ORDER).exists():
        if not resume:
            remedy = "go on with --resume, or choose another directory with --run"
            raise UserError("a run has begun here already", where=folder, remedy=remedy)
        _refuse_another(folder, config, order)
    else:
        refuse_strangers(folder, (CONFIG,))
    atomic_write(folder / CONFIG, as_toml(config).encode())
    atomic_json(folder / ORDER, asdict(order))  # last, for it is what makes this a run's directory


def _refuse_another(folder: Path, config: Config, order: Order) -> None:
    """Neither what defines the result may change, nor what is done; where weights lie and how many clients come may."""
    stored, ordered = read_run(folder)
    problems = list(differences(stored.identity(), config.identity()))
    for name in ("plan", "per_speaker", "weights", "speech"):
        problems += differences(getattr(ordered, name), getattr(order, name), name)
    if problems:
        raise UserErrors(f"{folder}: this run has another configuration", problems)


def open_unnamed_run(config: Config, number: int, clients: int) -> Path:
    """The directory of a bare `flwr run`, which names none: a configuration for whoever is there."""
    folder = config.runtime.unnamed_run(number)
    name = config.campaign_name()
    base = default_base(config)
    order = Order(name, str(base), pretrained_hash(base), clients, config.methods.protocol, per_speaker=True)
    open_run(folder, config, order, resume=True)
    return folder


def read_run(folder: Path) -> tuple[Config, Order]:
    """What a directory was opened with."""
    try:
        plain = json.loads((folder / ORDER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError("not the directory of a run", where=folder, remedy=f"it has no readable {ORDER}") from None
    if not isinstance(plain, dict) or plain.keys() != {field.name for field in fields(Order)}:
        remedy = "go on with that one, or choose another directory with --run"
        raise UserError("a run of another version of eyesoff", where=folder, remedy=remedy)
    if any(type(plain[field.name]) is not field.type for field in fields(Order)) or plain["plan"] not in plan_names():
        remedy = "put back what it was, or choose another directory with --run"
        raise UserError("what was ordered has been altered", where=folder / ORDER, remedy=remedy)
    return load_config(folder / CONFIG), Order(**plain)


def run_campaign(folder: Path, clients: Clients) -> dict[str, Any]:
    """The campaign that the directory describes, alone in it."""
    config, order = read_run(folder)
    require_loggers(config.runtime.loggers)
    with (
        locked(folder / LOCK, wait=False, taken="another run is at work in this directory", remedy="wait for it"),
        (events := EventFile(folder / EVENTS, config.runtime.loggers)).during(CAMPAIGN),
        Acceleration.of(config.runtime).entered(),
    ):
        campaign = Campaign(
            name=order.name,
            folder=folder,
            config=config,
            base=_networks(config, order),
            clients=clients,
            watcher=events,
            plan=plan_of(order.plan, config),
            per_speaker=order.per_speaker,
            holders=read_holders(folder),
        )
        return campaign.run(order.expected)


def _networks(config: Config, order: Order) -> Pretrained | None:
    if isinstance(space_of(config), Vectors):
        return None
    return load_pretrained(Path(order.base), config.network, config.features, config.corpus.classes)


def scores_of(outcome: Mapping[str, Any]) -> str:
    """Macro F1 of every fold that was scored, in one line, which says where it was trained on those who scored it."""
    scored = []
    for fold in outcome["folds"]:
        own = " (on speakers that it was trained on, so no test)" if {*fold["train"]} & {*fold["test"]} else ""
        if matrices := [np.array(matrix) for counts in fold["counts"].values() for matrix in counts]:
            scored.append(f"{fold['name']} {float(macro_f1(np.sum(matrices, axis=0))):.2f}{own}")
    return ", ".join(scored) or "no client scored"
