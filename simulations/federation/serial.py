"""Every client in this process, one after another: no Flower, no Ray, the same results. For debugging.

Owns that loop. Must not know what the letters say.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from client.keeper import Keeper
from client.site import simulated_site
from common.errors import UserError
from server.clients import Answer, Letter
from simulations.federation.sites import SITES


class SerialClients:
    """The simulated sites of a run, asked in turn."""

    def __init__(self, run: Path) -> None:
        self._sites = run / SITES
        self._keepers: dict[str, Keeper] = {}

    def names(self, at_least: int, seconds: float) -> tuple[str, ...]:
        """All of them are there at once."""
        return tuple(str(number) for number in range(len(list(self._sites.glob("*/site.toml")))))

    def exchange(self, letters: Mapping[str, Letter], seconds: float) -> Iterator[Answer]:
        """Each letter answered before the next is made."""
        for client, letter in letters.items():
            try:
                yield Answer(client, self._keeper(client).answer(letter(), float("inf")))
            except UserError as error:
                yield Answer(client, failure=str(error))

    def _keeper(self, client: str) -> Keeper:
        if client not in self._keepers:
            self._keepers[client] = Keeper(simulated_site(self._sites, int(client)))
        return self._keepers[client]
