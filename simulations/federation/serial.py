"""Every client in this process, one after another: no Flower, no Ray, the same results. For debugging.

Owns that loop. Must not know what the requests say.
"""

import time
from collections.abc import Iterator, MutableMapping
from pathlib import Path

from client.journal import journal
from client.keeper import Keeper
from client.simulated import SITE, SITES, simulated_site
from common.errors import UserError
from server.clients import Answer, Payload


class SerialClients:
    """The simulated sites of a run, asked in turn; as in the relay, a keeper lives for one request."""

    def __init__(self, run: Path) -> None:
        self._sites = run / SITES

    def names(self, at_least: int, seconds: float) -> tuple[str, ...]:
        """All of them are there at once."""
        return tuple(str(number) for number in range(len(list(self._sites.glob(f"*/{SITE}")))))

    def exchange(self, payloads: MutableMapping[str, Payload], seconds: float) -> Iterator[Answer]:
        """Each request is answered before the next is made; what is begun in time is finished."""
        deadline = time.monotonic() + seconds
        while payloads:
            client = next(iter(payloads))
            payload = payloads.pop(client)
            if time.monotonic() > deadline:
                yield Answer(client, failure=f"not asked within {seconds:g} seconds")
            else:
                yield self._answer(client, payload)

    def _answer(self, client: str, payload: Payload) -> Answer:
        try:
            site = simulated_site(self._sites, int(client))
            with journal(site.state):
                return Answer(client, Keeper(site).answer(payload(), float("inf")))
        except UserError as error:
            return Answer(client, failure=str(error))
