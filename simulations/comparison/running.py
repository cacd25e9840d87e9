"""A comparison from its order to its results.

Owns the sequence: prepare, plan, compute what is new, collect. Must not know what a unit computes, nor how results are
shown.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from common.config import Config, load_config
from common.config.showing import as_toml
from common.errors import UserError, UserErrors
from common.features.spaces import space_of_kinds
from common.files import atomic_write, refuse_strangers
from common.networks.acceleration import Acceleration
from common.recognizers import recognizer
from common.training.checkpoint import differences
from common.training.loggers import require_loggers
from server.events import EventFile
from server.run import EVENTS
from simulations.comparison.ablations import choose_ablations
from simulations.comparison.doing import do
from simulations.comparison.evidence import gather
from simulations.comparison.models import write_models
from simulations.comparison.modes import ABLATED, choose_modes
from simulations.comparison.plan import Prices, plan_lines, workers_for
from simulations.comparison.predictions import write_predictions
from simulations.comparison.results import collect, environment, seconds_of
from simulations.comparison.schema import Results, write_results
from simulations.comparison.setting import Setting, choose_folds, prepare
from simulations.comparison.store import UNTOLD, Store
from simulations.comparison.telling import COMPARISON, Telling
from simulations.comparison.units import Unit, units_for
from simulations.comparison.watch import Watch
from simulations.comparison.workers import Alone, Processes, UnitState, Workers
from simulations.federation.resources import tuner_memory
from simulations.progress import Counting, bars, busy

if TYPE_CHECKING:
    from simulations.comparison.cluster import Cluster

CONFIG, UNITS = "config.toml", "units"
PROCESSES, RAY = BACKENDS = ("processes", "ray")
"""Where units are computed: in processes here, or on a Ray cluster that is there already."""


@dataclass(frozen=True)
class Order:
    """What a comparison was asked for, beside its configuration."""

    run: Path
    modes: Sequence[str] = ()
    seeds: int = 1
    folds: Sequence[str] = ()
    base: Path | None = None
    units: Path | None = None
    workers: int | None = None
    command: str = ""
    ablate: Sequence[str] = ()
    backend: str = PROCESSES
    models: bool = False


class Stopped(Exception):  # noqa: N818 - nothing went wrong: somebody asked
    """A comparison was asked to stop, and kept all it had."""


def run_comparison(config: Config, order: Order, console: Console, stop: Callable[[], bool]) -> Results:
    """Compute what is new and write down what all of it comes to; the answer is the results."""
    began = time.monotonic()
    space = space_of_kinds(recognizer(config.methods.recognizer).spaces, config)
    modes, ablations = choose_modes(order.modes, space, config), choose_ablations(order.ablate, config)
    if summed := [mode.name for mode in modes if mode.of(config).release.summed]:
        remedy = "choose the row `gaussian summed` instead; `eyesoff simulate` takes release.summed"
        raise UserError("rows of a comparison do not read release.summed", where=", ".join(summed), remedy=remedy)
    if ablations and ABLATED not in {mode.name for mode in modes}:
        raise UserError(f"ablations without the mode {ABLATED}", remedy=f"--modes {ABLATED},.., or no --ablate")
    require_loggers(config.runtime.loggers)
    check_run(order.run, config)
    with bars() as open_bar:
        setting = prepare(config, order.base, _stopping(open_bar(config.corpus.name), stop))
    for warning in setting.warnings():
        console.print(f"warning: {warning}", highlight=False, soft_wrap=True)
    folds = choose_folds(setting, order.folds)
    with busy("planning"):
        units = units_for(setting, modes, folds, range(config.seed, config.seed + order.seeds), ablations)
    # Only now, for a mistake in the configuration should not claim the directory.
    atomic_write(order.run / CONFIG, as_toml(config).encode())
    store, events = Store(order.units or order.run / UNITS), EventFile(order.run / EVENTS)
    with store.alone(), events.during(COMPARISON, Stopped), Acceleration.of(setting.config.runtime).entered():
        cached = {unit.key for unit in units if store.card(unit) is not None}
        new = len(units) - len(cached)
        prices = Prices.of(units, setting, store)
        cluster = _cluster(setting, store) if new and order.backend == RAY else None
        workers = cluster.size() if cluster else workers_for(setting.config, order.workers)
        for line in plan_lines(units, store, prices, workers):
            console.print(line, highlight=False, soft_wrap=True)
        workers = min(workers, new) if new else workers
        told = Telling(events, units, store)
        failures = carry_out(units, setting, store, workers, prices, console, stop, cluster, told.update)
        with busy("collecting results"):
            results = collect(setting, modes, units, store, failures, ablations)
            _keep(order, setting, units, store)
            precisions = store.precisions(units)
            results = replace(
                results,
                command=order.command,
                seconds=seconds_of(units, store, cached),
                wall=round(time.monotonic() - began, 1),
                environment={**environment(setting.config, precisions), "workers": workers},
            )
        if len(set(precisions) - {UNTOLD}) > 1:
            mixed = f"units were computed in {', '.join(precisions)}, which is no one protocol"
            remedy = "set runtime.precision to one of them and choose another --units"
            console.print(f"warning: {mixed}; {remedy}", highlight=False, soft_wrap=True)
        write_results(order.run, results)
    return results


def _keep(order: Order, setting: Setting, units: Sequence[Unit], store: Store) -> None:
    """Beside the results: what can be shown, models where they are wanted, and what was said of each utterance."""
    gather(order.run, setting, units, store)
    if order.models:
        write_models(order.run, setting, units, store)
    write_predictions(order.run, setting.manifest.labels, units, store)


def _cluster(setting: Setting, store: Store) -> "Cluster":
    try:
        from simulations.comparison.cluster import Cluster
    except ImportError:
        raise UserError("Ray is not installed here", remedy="install the extra `federation`") from None
    return Cluster(setting, store, do, tuner_memory(setting.config))


def _stopping(progress: Counting, stop: Callable[[], bool]) -> Counting:
    """The same, until somebody asks for a stop."""

    def count(done: int, total: int) -> None:
        if stop():
            raise Stopped
        progress(done, total)

    return count


def check_run(folder: Path, config: Config) -> None:
    """Refuse a directory that is neither empty nor that of a comparison of the same configuration."""
    stored = folder / CONFIG
    if stored.exists():
        if problems := list(differences(load_config(stored).identity(), config.identity())):
            remedy = "choose another --run; with --units DIR runs share what they have in common"
            raise UserErrors(f"{folder}: this run has another configuration; {remedy}", problems)
    else:
        refuse_strangers(folder, ())


def carry_out(
    units: Sequence[Unit],
    setting: Setting,
    store: Store,
    workers: int,
    prices: Prices,
    console: Console,
    stop: Callable[[], bool] = lambda: False,
    cluster: Workers | None = None,
    tell: Callable[[UnitState], object] = lambda _: None,
) -> dict[str, str]:
    """Compute the units that are not done, on a cluster, in processes or in this one; the answer is why any failed."""
    done = {unit.key for unit in units if store.card(unit) is not None}
    new = [unit for unit in units if unit.key not in done]
    if not new:
        return {}
    chosen = cluster or (Processes(workers, setting, store, do) if workers else Alone(setting, store, do, stop))
    try:
        with Watch(console, new, prices, workers).shown() as watch:

            def update(state: UnitState) -> None:
                watch.update(state)
                tell(state)

            if isinstance(chosen, Alone):
                chosen.tell = update
            return compute(new, done, chosen, prices, update, stop)
    finally:
        chosen.close()


def compute(
    new: Sequence[Unit],
    cached: set[str],
    workers: Workers,
    prices: Prices,
    tell: Callable[[UnitState], object],
    stop: Callable[[], bool],
) -> dict[str, str]:
    """Every unit after those it needs, the costliest first; the answer is why which failed. What needs one waits on."""
    waiting = sorted(new, key=prices.of_unit, reverse=True)
    done, failures, at_work = set(cached), dict[str, str](), set[str]()
    while True:
        if stop():
            raise Stopped
        ready = [unit for unit in waiting if all(need.key in done for need in unit.needs)]
        for unit in ready[: workers.idle()]:
            workers.submit(unit)
            waiting.remove(unit)
            at_work.add(unit.key)
            tell(UnitState(unit))
        if not at_work:
            return failures
        for state in workers.poll():
            tell(state)
            if state.done or state.reason:
                at_work.discard(state.unit.key)
            if state.done:
                done.add(state.unit.key)
            if state.reason:
                failures[state.unit.key] = state.reason
