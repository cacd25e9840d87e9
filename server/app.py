"""Flower's server side: the grid as `server.clients` describes it, and the campaign started from a run's settings.

Owns the translation. Must not know what a campaign does with the answers.
"""

import logging
import math
import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import cast

import numpy as np
from flwr.app import Array, ArrayRecord, Context, Message, MessageType, RecordDict
from flwr.serverapp import Grid, ServerApp

from common.config.unnamed import KEY, unnamed_config
from server.clients import Answer, Payload
from server.run import open_unnamed_run, run_campaign, scores_of

RECORD, FIELD = "eyesoff", "message"
IN_FLIGHT = 8
"""Requests on their way at once: what bounds this process's memory, however many clients there are."""
POLL_SECONDS = 0.2
FEWEST, PATIENCE = 2, 60.0
"""Clients without which a bare `flwr run` has nothing to leave out, and how long it waits for them."""

log = logging.getLogger("flwr")

app = ServerApp()


@app.main()
def main(grid: Grid, context: Context) -> None:
    """One campaign; an error ends the run as failed, which is what its exit status tells."""
    settings = context.run_config
    clients = FlowerClients(grid, float(settings["lost-after"]))
    if settings["run"]:
        run_campaign(Path(str(settings["run"])), clients)
    else:
        config = unnamed_config(str(settings["preset"]), str(settings[KEY]))  # before anybody is waited for
        there = clients.names(FEWEST, PATIENCE)
        folder = open_unnamed_run(config, context.run_id, len(there))
        log.info("everything of this run: %s", folder)
        log.info("macro F1 by fold: %s", scores_of(run_campaign(folder, clients)))


class FlowerClients:
    """The nodes of a grid.

    Args:
        lost_after: seconds without an answer after which a request counts as lost; 0: none is before its round is over.
            What a SuperNode had in hand when it was killed neither comes nor fails, if it is back before Flower asks.
    """

    def __init__(self, grid: Grid, lost_after: float = 0.0) -> None:
        self._grid, self._lost_after = grid, lost_after or math.inf

    def names(self, at_least: int, seconds: float) -> tuple[str, ...]:
        """Node ids in order, once there are enough or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            ids = sorted(self._grid.get_node_ids())
            if len(ids) >= at_least or time.monotonic() > deadline:
                return tuple(map(str, ids))
            time.sleep(POLL_SECONDS)

    def exchange(self, payloads: MutableMapping[str, Payload], seconds: float) -> Iterator[Answer]:
        """A few requests on their way at any time, each answer taken in by itself."""
        deadline = time.monotonic() + seconds
        under_way: dict[str, str] = {}
        sent_at: dict[str, float] = {}
        while payloads or under_way:
            while payloads and len(under_way) < IN_FLIGHT:
                client = next(iter(payloads))
                (sent,) = self._grid.push_messages([_envelope(client, payloads.pop(client)())])
                under_way[sent], sent_at[sent] = client, time.monotonic()
            for sent in tuple(under_way):
                for reply in self._grid.pull_messages([sent]):
                    yield _opened(under_way.pop(sent), reply)
                if sent in under_way and time.monotonic() - sent_at[sent] > self._lost_after:
                    lost = f"lost on its way: nothing came in {self._lost_after:g} seconds"
                    yield Answer(under_way.pop(sent), failure=lost)
            if time.monotonic() > deadline:
                for client in (*under_way.values(), *payloads):
                    yield Answer(client, failure=f"no answer within {seconds:g} seconds")
                return
            time.sleep(POLL_SECONDS)


def _envelope(client: str, payload: bytes) -> Message:
    array = Array(np.frombuffer(payload, dtype=np.uint8))
    content = RecordDict({RECORD: ArrayRecord({FIELD: array})})
    return Message(content, dst_node_id=int(client), message_type=MessageType.QUERY)


def _opened(client: str, reply: Message) -> Answer:
    if reply.has_error():
        return Answer(client, failure=f"Flower error {reply.error.code}: {reply.error.reason or 'no reason told'}")
    try:
        return Answer(client, cast(Array, reply.content[RECORD][FIELD]).numpy().tobytes())
    except (KeyError, ValueError, TypeError) as error:
        return Answer(client, failure=f"not an eyesoff answer ({type(error).__name__})")
