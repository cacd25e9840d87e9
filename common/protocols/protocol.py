"""What a protocol is: the trials that it cuts from a corpus, each with what is trained on and what is tested on.

Owns that form: the contract of every module in `common.protocols.methods`, and of other people's. Must not know any
protocol, nor what is trained: a trial is speech and counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from common.corpora.manifest import Manifest
from common.errors import UserError
from common.settings import Section, settings_from


@dataclass(frozen=True)
class Filling:
    """What a recognizer with a synthesizer learns from, where the protocol says so and not the mode.

    Args:
        real: whether it hears the training part too; one without a synthesizer hears that part alone.
        samples: how many samples of each emotion the synthesizer gives.
    """

    real: bool
    samples: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Point:
    """Where an arm stands in a figure of scores.

    Args:
        across: what the horizontal axis counts.
        at: how much of it.
        line: of which line it is a point, where there are several.
    """

    across: str
    at: float
    line: str = ""


@dataclass(frozen=True)
class Trial:
    """One cut of a corpus. No speaker stands on both sides, or it does not come to be; but for those named as shared.

    Args:
        name: of the test part, such as the session that is left out.
        train: the real speech that a recognizer may hear.
        test: what it is tried on.
        heard: the real speech that synthesizers are fitted to; the training part where nothing is said.
        filling: what the recognizer learns from; the mode decides where nothing is said.
        repeat: the number of the draw, where a protocol draws by chance more than once.
        arm: which of the protocol's conditions this is, where it has some.
        watched: the emotion whose recall the condition is about, where there is one.
        shared: speakers who may stand on both sides, for the corpus's own split has them there and a setting allows it.
        point: where the condition stands in a figure of scores, where conditions are amounts.
    """

    name: str
    train: Manifest
    test: Manifest
    heard: Manifest | None = None
    filling: Filling | None = None
    repeat: int = 0
    arm: str = ""
    watched: str = ""
    shared: tuple[str, ...] = ()
    point: Point | None = None

    def __post_init__(self) -> None:
        trained = {*self.train.speakers, *self.fitted.speakers}
        if leaked := sorted((trained & {*self.test.speakers}) - {*self.shared}):
            raise UserError(
                "a speaker stands on both sides of a fold",
                where=f"fold {self.name}, speaker {', '.join(leaked)}",
                remedy="give each speaker to one session",
            )
        for side, part in (("train", self.train), ("train", self.fitted), ("test", self.test)):
            if not len(part):
                raise UserError(f"the {side} side of a fold is empty", where=f"fold {self.name}")

    @property
    def fitted(self) -> Manifest:
        """What synthesizers are fitted to."""
        return self.train if self.heard is None else self.heard

    @property
    def title(self) -> str:
        """Unlike that of any other trial of its protocol."""
        draw = f"draw {self.repeat}" if self.repeat else ""
        return ", ".join(filter(None, (self.name, self.arm, draw)))


@dataclass(frozen=True)
class Cut:
    """A fold by the names of its sessions alone, which is all that a server knows of them."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]


S = TypeVar("S", bound=Section)


@dataclass(frozen=True)
class Protocol(Generic[S]):
    """One way of cutting a corpus.

    Args:
        name: in the registry, in configurations, on the command line and in results.
        about: one sentence.
        Settings: all of its settings, bounded; a field is a section of the configuration, shared or of its own.
        trials: a pure function of the corpus, the settings and a seed.
        cuts: the same by sessions' names, where whole sessions are cut; a campaign needs it.
        paper: where it comes from.
        beside: whether samples lie beside real speech in every trial, so that no recognizer hears them alone.
    """

    name: str
    about: str
    Settings: type[S]
    trials: Callable[[Manifest, S, int], tuple[Trial, ...]]
    cuts: Callable[[Sequence[str], S], tuple[Cut, ...]] | None = None
    paper: str = ""
    beside: bool = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes by name: each has the registry."""
        from common.protocols import protocol

        return protocol, (self.name,)

    def settings_of(self, sections: Any) -> S:
        """Its settings, from whatever has their sections as attributes, such as a whole configuration."""
        return settings_from(self.Settings, sections)
