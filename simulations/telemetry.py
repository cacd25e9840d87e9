"""The switches that keep Flower and Ray from calling home.

Owns their names and values. The command line throws them before anything imports Flower or Ray, and every process
that is started from here inherits them. Must not know what Flower or Ray is used for.
"""

import os
from collections.abc import Mapping, MutableMapping

SWITCHES = {
    "FLWR_TELEMETRY_ENABLED": "0",  # usage events to Flower's maker
    "FLWR_DISABLE_UPDATE_CHECK": "1",  # a look at a server for newer releases
    "FLWR_DISABLE_RUNTIME_DEPENDENCY_INSTALLATION": "1",  # a package registry asked at every run
    "RAY_USAGE_STATS_ENABLED": "0",  # usage statistics to Ray's maker
}


def switch_off(environment: MutableMapping[str, str] = os.environ) -> None:
    """Throw every switch, whatever was set before: nothing phones home."""
    environment.update(SWITCHES)


def still_on(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The switches that are not thrown."""
    return [name for name, value in SWITCHES.items() if environment.get(name) != value]
