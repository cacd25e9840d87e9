"""A campaign on this machine as plain functions: order a run, start it on a backend, read what came out.

Owns the sequence. Must not know how a backend works inside, nor what stands beside a campaign.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from client.bases import read_base
from client.simulated import write_sites
from common.config import Config
from common.corpora import labelled_corpus
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.spaces import features_in, space_of
from common.training.pretrained import pretrained_hash
from server.campaign import RESULTS
from server.outcome import Found, read_found
from server.run import Order, open_run, run_campaign
from simulations.federation.resources import Plan, plan_resources
from simulations.federation.serial import SerialClients
from simulations.progress import bars, busy

BACKENDS = ("ray", "serial")


@dataclass(frozen=True)
class Simulation:
    """A campaign whose every part is here."""

    run: Path
    config: Config
    manifest: Manifest
    base: Path
    plan: Plan

    def start(self, backend: str, watch: Callable[[], None]) -> Found:
        """Run the campaign to its end; the answer is its outcome."""
        if backend == "serial":
            run_campaign(self.run, SerialClients(self.run))
        else:
            from simulations.federation import flower

            flower.simulate(self.run, self.plan, self.run / RESULTS, watch)
        return read_outcome(self.run)

    def concluded(self) -> Found | None:
        """The outcome of an earlier execution, if it came to its end, nothing failed and it can be read."""
        found = read_found(self.run / RESULTS)
        return None if found is None or found.failures else found


def order(config: Config, run: Path, base: Path, *, plan: str | None = None, resume: bool = False) -> Simulation:
    """Everything that must be in place before the first client is asked."""
    with bars() as open_bar:
        manifest = labelled_corpus(config.corpus, config.runtime, open_bar(config.corpus.name))
        if config.corpus.skip_bad:  # sites leave out what they cannot use, so nothing here counts on it
            progress = open_bar("features")
            manifest = features_in(space_of(config), manifest, config, config.runtime, progress, skip_bad=True).manifest
    with busy("preparing the run"):
        return _order(config, run, base, manifest, plan, resume=resume)


def _order(config: Config, run: Path, base: Path, manifest: Manifest, plan: str | None, *, resume: bool) -> Simulation:
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


def read_outcome(run: Path) -> Found:
    """What a finished campaign wrote down."""
    found = read_found(run / RESULTS)
    if found is None:
        raise UserError("results that cannot be read", where=run / RESULTS, remedy="--resume writes them anew")
    return found
