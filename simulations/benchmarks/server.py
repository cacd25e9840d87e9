"""How much memory a campaign's server takes for so many clients.

Owns the clients that answer from a recording, and the process that is measured. Must not train anything that is kept.
"""

import multiprocessing
import tempfile
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from common.config import Config
from common.features.scaling import Scaling
from common.networks import release_weights
from common.settings import hash_identity
from common.training.pretrained import Pretrained
from common.training.stages import Pair
from common.version import VERSION
from common.wire import (
    REQUESTS,
    AddToSum,
    Ask,
    Card,
    CloseSum,
    Code,
    Collect,
    Description,
    Limits,
    Noted,
    Notice,
    OpenSum,
    Refusal,
    Release,
    Reply,
    Request,
    Score,
    Scored,
    Stage,
    Tune,
    decode,
    encode,
)
from server.campaign import Campaign
from server.clients import Answer, Clients, Payload
from server.events import EventFile
from server.plans import everyone

SETTINGS = {
    "network": {"width": 1 / 8},  # sixty generators of which, if kept, would double what the server takes
    "sampling": {"per_emotion": 64},
    "recognizer": {"iterations": 1, "batch": 2},
    "runtime": {"device": "cpu", "precision": "fp32", "threads": 1},
}
CHANGED = "linears.0.bias"


class RecordedClients:
    """Clients that answer at once, each with the same generator but for one small change, under its own card."""

    def __init__(self, count: int, config: Config) -> None:
        self._count, self._labels = count, config.corpus.emotions
        self._features = hash_identity(config.features.model_dump(mode="json"))
        self._generator = {name: w.half() for name, w in release_weights(_pair(config).generator).items()}

    def names(self, at_least: int, seconds: float) -> tuple[str, ...]:
        """All are there."""
        return tuple(f"{number:03d}" for number in range(self._count))

    def exchange(self, payloads: MutableMapping[str, Payload], seconds: float) -> Iterator[Answer]:
        """One answer at a time."""
        while payloads:
            client = next(iter(payloads))
            payload = payloads.pop(client)()
            yield Answer(client, encode(self._reply(client, decode(payload, REQUESTS, Limits(len(payload))))))

    def _reply(self, client: str, request: Request) -> Reply:
        match request:
            case Ask(run=run):
                known = {"labels": self._labels, "features": self._features, "utterances": None, "speakers": None}
                return Description(run=run, session=f"s{client}", **known, eyesoff=VERSION, torch="0")
            case Tune(tuning=tuning) | Collect(tuning=tuning):
                own = {CHANGED: self._generator[CHANGED] + 1e-3 * int(client)}  # else all would be put aside
                card = Card(tuning=tuning, known=(True,) * 4, utterances=None, seconds=1)
                return Release(card=card, released=self._generator | own)
            case Score(scoring=scoring):
                classes = len(self._labels)
                return Scored(scoring=scoring, epsilon=None, counts=(((1,) * classes,) * classes,))
            case Notice(run=run, session=session):
                return Noted(run=run, session=session)
            case OpenSum() | AddToSum() | CloseSum():
                return Refusal(code=Code.SUMS_FORBIDDEN, stage=Stage.ADMIT)


def _pair(config: Config) -> Pair:
    return Pair.fresh(config.network, config.corpus.classes, config.seed)


def server_peak(clients: int, make: Callable[[int, Config], Clients] = RecordedClients) -> int:
    """Peak bytes of a process of its own that is the server of a whole campaign with so many clients."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(_campaign_peak, clients, make).result()


def _campaign_peak(clients: int, make: Callable[[int, Config], Clients]) -> int:
    config = Config.model_validate(SETTINGS)
    base = Pretrained(_pair(config), Scaling(-16.0, 4.0), {})
    with tempfile.TemporaryDirectory(prefix="eyesoff-bench-") as folder:
        watcher = EventFile(Path(folder) / "events.jsonl")
        Campaign("bench", Path(folder), config, base, make(clients, config), watcher, everyone).run(clients)
    return _peak_bytes()


def _peak_bytes() -> int:
    """Of this process alone: what `getrusage` tells begins with the peak of the process that started it."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return 1024 * int(line.split()[1])
    raise OSError("the kernel does not tell this process's peak memory")
