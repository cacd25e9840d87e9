"""What a campaign costs beside the training itself: time over a bare loop, the server's memory, bytes on the wire.

Owns the three ratios. Must not be needed by anything that federates.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from client.bases import read_base
from client.ledger import entries
from client.simulated import SITES, simulated_site, write_sites
from common.config import Config
from common.cores import usable_cores
from common.corpora import labelled_corpus
from common.errors import UserError
from common.features.scaling import Scaling
from common.networks import generator_shapes
from common.training.pretrained import save_pretrained
from common.training.stages import Pair
from common.wire import Precision, weights_digest
from server.bank import Bank
from server.campaign import BANK
from server.plans import EVERYONE
from server.pretraining import pretraining_identity
from server.run import EVENTS
from simulations.benchmarks.bare import Workplace, bare_loop
from simulations.benchmarks.server import server_peak
from simulations.federation.campaign import order
from simulations.federation.resources import plan_resources
from simulations.federation.watching import Watch

FEW, MANY = 4, 64
"""Clients of the two campaigns whose servers are compared."""
TRIALS = 2, 22
"""Steps of two trials, which tell how long a step takes and how long the first one takes longer."""


def bench_federation(
    config: Config,
    seconds_per_tuning: float,
    backend: str = "ray",
    tell: Callable[[str], object] = lambda line: None,
    console: Console | None = None,
) -> dict[str, Any]:
    """Three ratios, and the figures that they are made of.

    `overhead` is the wall time of a campaign's tuning phase, from its first request until the last generator is in the
    bank, over that of a bare loop: as many processes as the campaign tunes clients at once, each with a client's
    threads, take one session after another and tune it with nothing around it. The loop's processes are started, and
    its features and networks in memory, before its clock starts; a campaign has started its own while it asked. Both
    end with the same generators, bit for bit, or there is no figure.

    `server_memory_ratio` is the peak memory of a process that is a campaign's server for 64 clients, which answer from
    a recording, over that for 4. `wire_ratio` is all that a client sent in the campaign, by its own ledger, over its
    generator in fp16: the largest of the clients' ratios.

    Args:
        config: what is tuned; its recognizers and pool are made small.
        seconds_per_tuning: about how long a tuning is to take on this machine as it is.
        backend: ray or serial.
        tell: is called with a line as each part begins.
        console: where the campaign's own progress is shown.
    """
    if busy := busy_line():
        tell(busy)
    tell(f"a server of {FEW} clients, then one of {MANY}")
    few, many = server_peak(FEW), server_peak(MANY)
    tell("the corpus and two short trials, which say how long a step takes")
    with tempfile.TemporaryDirectory(prefix="eyesoff-bench-") as name:
        folder = Path(name)
        run, base, config = folder / "run", folder / "base", _all_but_tuning_brief(config)
        pair = Pair.fresh(config.network, config.corpus.classes, config.seed)
        save_pretrained(base, pair, Scaling(-16.0, 4.0), pretraining_identity(config), {})
        config = _lasting(config, base, folder / "trial", seconds_per_tuning)
        simulation = order(config, run, base, plan=EVERYONE)
        tunings, at_once, steps = simulation.plan.clients, simulation.plan.at_once, config.finetuning.iterations
        tell(f"{tunings} tunings of {steps} steps, {at_once} at once, with nothing around them")
        bare, generators = bare_loop(Workplace(run / SITES, config, base), range(tunings), at_once)
        tell("the same in a campaign")
        with Watch(run, console or Console(quiet=True)) as watch:
            simulation.start(backend, watch)
        _require_same(generators, Bank(run / BANK))
        federated, wire = tuning_seconds(run / EVENTS), max(wire_ratios(run / SITES, config))
    return {
        "overhead": round(federated / bare, 3),
        "server_memory_ratio": round(many / few, 3),
        "wire_ratio": round(wire, 4),
        "federated_seconds": round(federated, 2),
        "bare_seconds": round(bare, 2),
        "tunings": tunings,
        "at_once": at_once,
        "threads": simulation.plan.threads,
        "iterations": steps,
        "width": config.network.width,
        "server_megabytes": {str(FEW): round(few / 1e6), str(MANY): round(many / 1e6)},
        "backend": backend,
    }


def busy_line() -> str:
    """A warning, where others use this machine too: times then say little."""
    load, cores = os.getloadavg()[0], usable_cores()
    return f"warning: {load:.1f} processes wait for {cores} cores, so times say little" if load > cores / 2 else ""


def _all_but_tuning_brief(config: Config) -> Config:
    sampling = config.sampling.model_copy(update={"per_emotion": 64})
    recognizer = config.recognizer.model_copy(update={"iterations": 1})
    return config.model_copy(update={"sampling": sampling, "recognizer": recognizer})


def _lasting(config: Config, base: Path, folder: Path, seconds: float) -> Config:
    """With as many steps in a tuning as take so many seconds, when as many go on at once as will."""
    manifest = labelled_corpus(config.corpus, config.runtime)
    write_sites(folder, config, manifest, read_base(base).digest)
    at_once = plan_resources(config, len(manifest.sessions)).at_once
    few, many = (
        bare_loop(Workplace(folder / SITES, _with_iterations(config, steps), base), range(at_once), at_once)[0]
        for steps in TRIALS
    )
    seconds_a_step = (many - few) / (TRIALS[1] - TRIALS[0])
    return _with_iterations(config, TRIALS[0] + max(round((seconds - few) / seconds_a_step), 0))


def _with_iterations(config: Config, iterations: int) -> Config:
    finetuning = config.finetuning.model_copy(update={"iterations": iterations})
    return config.model_copy(update={"finetuning": finetuning})


def _require_same(generators: Mapping[str, str], bank: Bank) -> None:
    banked = {one.session: weights_digest(bank.load(one).weights()) for one in bank.banked()}
    if banked != generators:
        differing = sorted(name for name in {*banked, *generators} if banked.get(name) != generators.get(name))
        raise UserError("the bare loop and the campaign did not tune the same generators", where=", ".join(differing))


def tuning_seconds(events: Path) -> float:
    """From a campaign's first request that asks for a tuning until its last generator is in the bank."""
    told = [json.loads(line) for line in events.read_text(encoding="utf-8").splitlines()]
    times = {event["event"]: event["time"] for event in told if event.get("stage") == "tune"}
    return float(times["done"] - times["stage"])


def wire_ratios(sites: Path, config: Config) -> Iterator[float]:
    """For each site all that left it, in generators of fp16."""
    generator = sum(
        Precision.FP16.size(shape) for shape in generator_shapes(config.network, config.corpus.classes).values()
    )
    for number in range(len(list(sites.iterdir()))):
        sent = sum(entry.bytes for entry in entries(simulated_site(sites, number).ledger) if entry.outcome == "sent")
        yield sent / generator
