"""A campaign as one mode of a comparison: beside it, where the speech is at hand, what real speech gives.

Owns how a campaign's outcome becomes results, and what of it is shown. Must not know how it came about.
"""

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from rich.console import Console
from torch import Tensor

from client.simulated import SITES, site_name
from client.site import STATE
from common.config import Config
from common.config.unnamed import default_base
from common.features.spaces import space_of
from common.networks.acceleration import Acceleration
from common.seeds import derive_seed
from common.spaces import Vectors
from common.synthesizers.pool import Source
from common.training.checkpoint import Card
from common.training.pretrained import Pretrained, load_pretrained
from server.bank import Bank, Banked
from server.campaign import BANK
from server.events import EventFile
from server.outcome import FoldFound, Found
from server.run import EVENTS
from server.samplers import sampler_in
from simulations.comparison.beside import Beside
from simulations.comparison.evidence import Gathered, Written, put
from simulations.comparison.modes import ABLATED, MODES, REAL
from simulations.comparison.recognizing import real_examples
from simulations.comparison.results import environment, ground, scored, seconds_of, whence
from simulations.comparison.sample_quality import AN_EMOTION, drawn, look
from simulations.comparison.schema import NO_TEST, Aside, Counts, Failed, Matrix, Results, Tested, write_results
from simulations.comparison.setting import left_out
from simulations.comparison.store import LEDGER, METRICS
from simulations.federation.campaign import Simulation, order
from simulations.federation.watching import Watch
from simulations.progress import busy
from simulations.trials import skew_warning

ALONE = "one speaker alone was scored, and of one no mean is given; its counts are in campaign.json"
SIMULATION = "simulation"
"""What such a run is called among its events."""


def simulate_campaign(
    config: Config,
    run: Path,
    base: Path | None,
    *,
    backend: str,
    plan: str | None,
    with_real: bool,
    resume: bool,
    console: Console,
    command: str = "",
) -> Results:
    """The campaign, beside it the real mode where that is wanted, and what both come to."""
    began = time.monotonic()
    simulation = order(config, run, base or default_base(config), plan=plan, resume=resume)
    with busy("preparing the real mode"):
        beside = Beside.of(simulation) if with_real and plan in (None, config.methods.protocol) else None
    with EventFile(run / EVENTS).during(SIMULATION):
        found = simulation.concluded() or _carried_out(simulation, beside, backend, console)
        failures = beside.finish(console) if beside else []
        with busy("collecting results"):
            return conclude(run, config, simulation.base, found, command, began, beside, failures)


def _carried_out(simulation: Simulation, beside: Beside | None, backend: str, console: Console) -> Found:
    """The campaign itself, watched, while the real mode takes what it leaves of the processors."""
    skewed = skew_warning(space_of(simulation.config), simulation.config.features, simulation.manifest)
    for warning in (*left_out(simulation.manifest), *([skewed] if skewed else [])):
        console.print(f"warning: {warning}", highlight=False, soft_wrap=True)
    for line in simulation.plan.lines():
        console.print(line, highlight=False)
    with beside.begun() if beside else nullcontext(_nothing) as go_on, Watch(simulation.run, console) as watch:

        def look_on() -> None:
            watch()
            go_on()

        return simulation.start(backend, look_on)


def _nothing() -> None:
    """No mode stands beside the campaign."""


def conclude(
    run: Path,
    config: Config,
    base: Path,
    found: Found,
    command: str,
    began: float,
    beside: Beside | None = None,
    failures: Sequence[Failed] = (),
    corpus: str = "",
) -> Results:
    """A campaign's outcome as results, written beside it with what can be shown.

    `corpus` says what was spoken where the configuration does not know: sites tell nobody which corpus they hold.
    """
    results, acceleration = results_of(config, found, beside), Acceleration.of(config.runtime)
    with acceleration.entered():
        card = _show(run, config, base, found, beside)
    results = replace(
        results,
        corpus=corpus or results.corpus,
        command=command,
        failures=[*results.failures, *failures],
        seconds=seconds_of(beside.units, beside.store, set()) if beside else {},
        environment=environment(config, [acceleration.precision]),
        pretrained=whence(card) if card else {},
        wall=round(time.monotonic() - began, 1),
    )
    write_results(run, results)
    return results


def results_of(config: Config, found: Found, beside: Beside | None = None) -> Results:
    """Every mode on the folds that all of them have: a mean over fewer would be of another protocol."""
    seed = str(config.seed)
    counts: dict[str, Counts] = {ABLATED: {seed: _by_speaker(found, beside.spoken() if beside else {})}}
    if beside:
        counts = {REAL: beside.counts(), **counts}
    known = {name: table.get(seed, {}) for name, table in counts.items()}
    answered = [{fold for fold, speakers in folds.items() if speakers} for folds in known.values()]
    common = sorted(set.intersection(*(folds for folds in answered if folds))) if any(answered) else []
    failures = [_failed(one, config.seed) for one in found.failures]
    if len(common) == 1 and all(len(folds.get(common[0], {})) < 2 for folds in known.values()):
        failures.append(Failed(f"score {common[0]}", [ABLATED], common[0], config.seed, ALONE))
        common = []
    noise = sorted({one for fold in found.folds for one in fold.noise.values() if one is not None})
    begun = replace(
        ground(config, config.corpus.emotions, [config.seed]),
        what="campaign",
        protocol=_protocol(config, found, len(common), len(set().union(*known.values())), noise),
        folds=[tested(name, known[ABLATED].get(name) or known[REAL][name]) for name in common],
        noised=bool(noise),
        quarantined=[Aside(one["session"], config.seed, one["reason"]) for one in found.quarantined],
        failures=failures,
    )
    return scored(begun, [MODES[name] for name in counts], counts)


def _by_speaker(found: Found, spoken: Mapping[str, Mapping[str, list[int]]]) -> dict[str, dict[str, Matrix]]:
    """Sites give no names: speakers are numbered, unless the speech is at hand and says who spoke how much.

    Two of a session who said as much of every emotion may then stand for each other.
    """
    table = {}
    for fold in found.folds:
        matrices = [matrix for answers in fold.counts.values() for matrix in answers]
        names = {name: said for session in fold.counts for name, said in spoken.get(session, {}).items()}
        numbered = {f"{fold.name}#{number}": matrix for number, matrix in enumerate(matrices)}
        table[fold.name] = _named(matrices, names) or numbered
    return table


def _named(matrices: Sequence[Matrix], spoken: Mapping[str, list[int]]) -> dict[str, Matrix]:
    """Each matrix under the name of somebody who said so much; nothing where nobody did."""
    named: dict[str, Matrix] = {}
    for matrix in matrices:
        said = [sum(row) for row in matrix]
        names = (name for name, numbers in spoken.items() if numbers == said and name not in named)
        if (name := next(names, None)) is None:
            return {}
        named[name] = matrix
    return named


def tested(fold: str, counts: Mapping[str, Matrix]) -> Tested:
    """A fold of which only its counts are known."""
    return Tested(fold, list(counts), np.sum(list(counts.values()), axis=(0, 2)).tolist())


def _failed(one: Mapping[str, str], seed: int) -> Failed:
    who = one["session"] or f"client {one['client']}"
    return Failed(f"{one['stage']} {who}", [ABLATED], one["session"], seed, one["reason"])


def _protocol(config: Config, found: Found, scored: int, known: int, noise: Sequence[float]) -> str:
    """In words, of whom the scores are, and of how many of the folds that any mode knows."""
    if any(set(fold.train) & set(fold.test) for fold in found.folds):
        return NO_TEST
    missing = f", {scored} of {known} folds" if scored < known else ""
    told = f"; counts with the sites' noise, epsilon {', '.join(f'{one:g}' for one in noise)}" if noise else ""
    summed = "; each fold's release is of a sum over its sites" if config.release.summed else ""
    return f"{config.methods.protocol.replace('-', ' ')}{missing}{summed}{told}"


def _show(run: Path, config: Config, base: Path, found: Found, beside: Beside | None) -> Card | None:
    """What there is to look at, of the first fold; the answer is the card of the networks at the start, if any."""
    fold, labels, curves = found.folds[0], config.corpus.emotions, list[Written]()
    if beside:
        shown = (unit for unit in beside.units if (unit.kind, unit.fold) == ("train", fold.name))
        curves = [Written.of(unit, beside.store.where(unit) / METRICS, unit.subject) for unit in shown]
    ledgers = []
    for path in sorted((run / SITES).glob(f"*/{STATE}/{LEDGER}")):
        session = path.parent.parent.name
        about = {"subject": ABLATED, "session": session, "seed": config.seed}
        ledgers.append(Written(path, f"tune-{session}.jsonl", about))
    bare = Gathered(fold.name, config.seed, labels, {}, config.features, {}, curves, ledgers)
    if isinstance(space_of(config), Vectors):
        put(run, bare)
        return None
    pretrained = load_pretrained(base, config.network, config.features, config.corpus.classes)
    looks = _looks(Bank(run / BANK), config, pretrained, fold, beside)
    put(run, replace(bare, scaling=asdict(pretrained.scaling), looks=looks))
    return pretrained.card


def _looks(
    bank: Bank, config: Config, pretrained: Pretrained, fold: FoldFound, beside: Beside | None
) -> dict[str, dict[str, Tensor]]:
    """What the generators make, beside the speech that they were tuned to where it is at hand."""
    encoder = pretrained.pair.discriminator
    made = made_by(bank, [banked for banked in bank.banked() if banked.session in fold.train], config)
    looks = {ABLATED: look(encoder, *made)}
    if beside is None:
        return looks
    place = next(name for name in beside.setting.folds if site_name(name) == fold.name)
    real = real_examples(beside.setting, place, config).batch(0, AN_EMOTION * config.corpus.classes, "evidence")
    return {REAL: look(encoder, real.values, real.labels), **looks}


def made_by(bank: Bank, releases: Sequence[Banked], config: Config) -> tuple[Tensor, Tensor, Tensor]:
    """Samples of a bank's generators alike, their emotions, and the same latents under each emotion."""

    def source(one: Banked) -> Source:
        return Source(
            one.name,
            derive_seed(config.seed, one.session, "evidence"),
            lambda: sampler_in(bank, one),
            one.card.known,
        )

    return drawn([source(one) for one in releases], config.corpus.classes, config.sampling.latent_scale)
