"""The command line of every process of a deployment: the one place where each is spelled.

Owns the words. `eyesoff deploy local` starts them as they stand; a test compares the compose files with them. Must not
know who starts a process, nor whether in a container.
"""

import json
from pathlib import Path

from simulations.deployment.layout import ServerFiles, SiteFiles

Words = tuple[str, ...]
PROXY, SUPERLINK = "proxy", "superlink"
"""Whose certificates the server has."""


def superlink(files: ServerFiles, database: Path, host: str, port: int) -> Words:
    """Flower's server, with its memory in a file, so that a run outlives it."""
    return (
        "flower-superlink",
        *("--host", host, "--port", str(port)),
        *("--ssl-ca-certfile", str(files.authority)),
        *("--ssl-certfile", str(files.certificate(SUPERLINK)), "--ssl-keyfile", str(files.key(SUPERLINK))),
        "--enable-supernode-auth",
        *("--isolation", "process", "--superexec-auth-secret-file", str(files.secret)),
        *("--database", str(database)),
        "--disable-runtime-dependency-installation",
    )


def superexec(files: ServerFiles, address: str, health: str) -> Words:
    """Whoever starts the server's app, in a process of its own, so that it outlives the SuperLink."""
    return (
        "flower-superexec",
        *("--runtime-api-address", address, "--root-certificates", str(files.authority)),
        *("--superexec-auth-secret-file", str(files.secret)),
        *("--health-server-address", health),
    )


def proxy(files: ServerFiles, host: str, port: int, superlink_address: str) -> Words:
    """The door to the SuperLink."""
    return (
        *("eyesoff", "deploy", "proxy", str(files.folder)),
        *("--host", host, "--port", str(port), "--superlink", superlink_address),
    )


def supernode(files: SiteFiles, socket: Path, server: str, port: int) -> Words:
    """A site's relay; its own port is for the app that it starts, on loopback alone."""
    return (
        "flower-supernode",
        *("--superlink", server, "--root-certificates", str(files.authority)),
        *("--auth-supernode-private-key", str(files.key)),
        *("--host", "127.0.0.1", "--port", str(port)),
        *("--node-config", f"keeper={json.dumps(str(socket))}"),
    )


def keeper(files: SiteFiles, socket: Path) -> Words:
    """A site's guardian."""
    return ("eyesoff", "keeper", "serve", "--site", str(files.site), "--socket", str(socket))
