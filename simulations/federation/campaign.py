"""`eyesoff simulate` as plain functions: order a run, start it on a backend, read what came out.

Owns the sequence. Must not know how a backend works inside.
"""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from client.bases import read_base
from client.simulated import write_sites
from common.config import Config
from common.corpora import labelled_corpus
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.scaling import Scaling
from common.features.spaces import space_of
from common.spaces import PATCHES
from common.training.pretrained import load_pretrained, pretrained_hash
from server.campaign import RESULTS
from server.outcome import read_found
from server.run import Order, default_base, open_run, run_campaign
from simulations.federation.real import train_on_real, training_on_real_when_idle
from simulations.federation.resources import Plan, plan_resources
from simulations.federation.results import confusions_by_fold, write_results
from simulations.federation.serial import SerialClients
from simulations.federation.watching import Watch
from simulations.progress import bars

BACKENDS = ("ray", "serial")


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
) -> dict[str, Any]:
    """The campaign, and beside it the recognizers that saw the real speech; the answer is the results."""
    simulation = order(config, run, base or default_base(config), plan=plan, resume=resume)
    with_real = with_real and plan in (None, config.methods.protocol) and space_of(config) == PATCHES
    scaling = Scaling(-1, 1)
    if with_real:
        scaling = load_pretrained(simulation.base, config.network, config.features, config.corpus.classes).scaling
    campaign = simulation.concluded()
    if campaign is None:
        for line in simulation.plan.lines():
            console.print(line, highlight=False)
        beside = training_on_real_when_idle(config, simulation.manifest, scaling, run) if with_real else nullcontext()
        with beside, Watch(run, console) as watch:
            campaign = simulation.start(backend, watch)
    modes = {"federated": confusions_by_fold(campaign)}
    if with_real:
        with bars() as open_bar:
            real = train_on_real(config, simulation.manifest, scaling, run, open_bar("training on real speech"))
        modes = {"real": real, **modes}
    return write_results(run, config, modes, campaign)


@dataclass(frozen=True)
class Simulation:
    """A campaign whose every part is here."""

    run: Path
    config: Config
    manifest: Manifest
    base: Path
    plan: Plan

    def start(self, backend: str, watch: Callable[[], None]) -> dict[str, Any]:
        """Run the campaign to its end; the answer is its outcome."""
        if backend == "serial":
            return run_campaign(self.run, SerialClients(self.run))
        from simulations.federation import flower

        flower.simulate(self.run, self.plan, self.run / RESULTS, watch)
        return read_outcome(self.run)

    def concluded(self) -> dict[str, Any] | None:
        """The outcome of an earlier execution, if it came to its end, nothing failed and it can be read."""
        found = read_found(self.run / RESULTS)
        return None if found is None or found.failures else asdict(found)


def order(config: Config, run: Path, base: Path, *, plan: str | None = None, resume: bool = False) -> Simulation:
    """Everything that must be in place before the first client is asked."""
    with bars() as open_bar:
        manifest = labelled_corpus(config.corpus, config.runtime, open_bar(config.corpus.name))
    manifest.require_every_label()
    if len(manifest.sessions) < 2:
        raise UserError("one session only: nothing is left out", where=manifest.root, remedy="use a corpus with more")
    resources = plan_resources(config, len(manifest.sessions))
    name = config.campaign_name()
    wanted = Order(
        name,
        str(base.resolve()),
        pretrained_hash(base),
        len(manifest.sessions),
        plan or config.methods.protocol,
        per_speaker=True,
        speech=manifest.content_hash(),
    )
    open_run(run, config, wanted, resume=resume)
    write_sites(run, config, manifest, read_base(base).digest)
    return Simulation(run, config, manifest, base, resources)


def read_outcome(run: Path) -> dict[str, Any]:
    """What a finished campaign wrote down."""
    found = read_found(run / RESULTS)
    if found is None:
        raise UserError("results that cannot be read", where=run / RESULTS, remedy="--resume writes them anew")
    return asdict(found)
