"""A protocol: the sessions in two halves, each tested by what the other taught."""

from collections.abc import Sequence

from common.corpora.manifest import Manifest
from common.protocols.protocol import Cut, Protocol, Trial
from common.settings import Section


class HalvesConfig(Section):
    """Which halves are tested."""

    both: bool = True


class Settings(Section):
    """Its own section, which a configuration spells [halves]."""

    halves: HalvesConfig = HalvesConfig()


def cuts(sessions: Sequence[str], settings: Settings) -> tuple[Cut, ...]:
    """By sessions' names, so that a campaign can keep to it."""
    odd, even = tuple(sessions[::2]), tuple(sessions[1::2])
    return (Cut("odd", even, odd), Cut("even", odd, even))[: 1 + settings.halves.both]


def trials(manifest: Manifest, settings: Settings, seed: int) -> tuple[Trial, ...]:
    """The same with the speech."""

    def part(sessions: Sequence[str]) -> Manifest:
        return manifest.where(lambda utterance: utterance.session in sessions)

    return tuple(Trial(one.name, part(one.train), part(one.test)) for one in cuts(manifest.sessions, settings))


PROTOCOL = Protocol(
    name="halves",
    about="Every other session is tested by what the rest taught.",
    Settings=Settings,
    trials=trials,
    cuts=cuts,
    paper="none: an example",
)
