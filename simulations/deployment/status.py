"""What `eyesoff deploy status` tells: who is registered, what runs, how far one run is, and what failed.

Owns the collecting. Must not know how it is shown beyond a line each.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from server.run import EVENTS
from simulations.deployment.certificates import read_certificate
from simulations.deployment.commands import PROXY
from simulations.deployment.health import is_healthy
from simulations.deployment.layout import Layout
from simulations.deployment.registry import Node, Registry
from simulations.deployment.settings import Settings
from simulations.federation.story import Story
from simulations.federation.submission import FEDERATION, Connection

LAST_RUNS = 5


@dataclass(frozen=True)
class Status:
    """A deployment at one moment."""

    proxy: str
    certificate_until: str
    nodes: tuple[Node, ...]
    runs: tuple[tuple[str, str], ...]
    stages: dict[str, list[str]]
    failures: tuple[str, ...]
    put_aside: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)

    def lines(self) -> list[str]:
        """As a person reads it."""
        lines = [f"proxy: {self.proxy}; its certificate is good until {self.certificate_until}"]
        lines += [f"site {node.name or node.number}: {node.status}" for node in self.nodes] or ["no site is registered"]
        lines += [f"run {number}: {status}" for number, status in self.runs]
        lines += [f"stage {stage}: {', '.join(units) or 'nothing'} done" for stage, units in self.stages.items()]
        return [*lines, *(f"failed: {line}" for line in self.failures), *self.put_aside]


def status_of(layout: Layout, settings: Settings, link: Connection, run: Path | None) -> Status:
    """Ask the proxy, the SuperLink and the run's own file."""
    healthy = is_healthy(settings.address, layout.server.authority)
    certificate = read_certificate(layout.proxy.certificate(PROXY))
    runs = link.ask(["list", FEDERATION, "--format", "json"]).get("runs", [])
    story = Story()
    events = [] if run is None else story.follow(run / EVENTS)
    return Status(
        proxy=f"{'answers' if healthy else 'does not answer'} at {settings.address}",
        certificate_until=f"{certificate.not_valid_after_utc:%Y-%m-%d}",
        nodes=Registry(link, layout.book).nodes(),
        runs=tuple((str(one["run-id"]), str(one["status"])) for one in runs[:LAST_RUNS]),
        stages={stage: sorted(units) for stage, units in story.done.items()},
        failures=_lines(events, "failed"),
        put_aside=_lines(events, "put aside"),
    )


def _lines(events: Iterable[Mapping[str, Any]], kind: str) -> tuple[str, ...]:
    """Each once: a campaign that is resumed may fail at the same again."""
    return tuple(dict.fromkeys(str(event.get("line")) for event in events if event.get("event") == kind))
