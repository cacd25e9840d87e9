"""A deployment's settings as the `.env` file that docker compose reads too, and complaints about it in one go.

Owns the names of the settings. What the environment says goes before what the file says, as compose has it.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from common.errors import UserError, UserErrors
from common.files import atomic_write

MEANING = {
    "EYESOFF_SERVER": "host name or address under which the sites reach the server",
    "EYESOFF_PORT": "its port: the proxy's, the only one that strangers may reach",
    "EYESOFF_SUPERLINK": "host:port of the SuperLink, for the server's own processes; whoever reaches it runs code",
}
COMPOSE_MEANING = {
    "EYESOFF_USER": "user and group of every container but the keepers'; the files below must be theirs",
    "COMPOSE_PROFILES": "what `docker compose up` starts: server-cpu or server-nvidia; with all sites: cpu or nvidia",
    "EYESOFF_SERVER_FILES": "folders that the containers see, in place of volumes",
}
SPEECH_HERE = "EYESOFF_SPEECH"
SITE_MEANING = {name: MEANING[name] for name in ("EYESOFF_SERVER", "EYESOFF_PORT")} | {
    "EYESOFF_SITE": "name under which the server registered this site",
}
_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)")


@dataclass(frozen=True)
class Settings:
    """Where the server is, for its own processes and for the sites."""

    server: str
    port: int
    superlink: str

    @property
    def address(self) -> str:
        """What a SuperNode connects to."""
        return f"{self.server}:{self.port}"


@dataclass(frozen=True)
class SiteSettings:
    """What a site knows of the server, and its own name there."""

    server: str
    port: int
    name: str
    speech: Path | None = None
    """The folder of the recordings on this machine, where a container sees them elsewhere."""


def read_settings(path: Path, environment: Mapping[str, str] = os.environ) -> Settings:
    """The server's."""
    values = _read(path, MEANING, environment)
    return Settings(values["EYESOFF_SERVER"], int(values["EYESOFF_PORT"]), values["EYESOFF_SUPERLINK"])


def read_site_settings(path: Path, environment: Mapping[str, str] = os.environ) -> SiteSettings:
    """A site's."""
    values = _read(path, SITE_MEANING, environment)
    speech = environment.get(SPEECH_HERE) or values.get(SPEECH_HERE)
    where = Path(speech) if speech else None
    return SiteSettings(values["EYESOFF_SERVER"], int(values["EYESOFF_PORT"]), values["EYESOFF_SITE"], where)


def write_settings(path: Path, values: Mapping[str, str]) -> None:
    """Each setting with its meaning above it."""
    meanings = MEANING | SITE_MEANING | COMPOSE_MEANING
    lines = [line for name, value in values.items() for line in (*_comment(meanings.get(name)), f"{name}={value}")]
    atomic_write(path, ("\n".join(lines) + "\n").encode())


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `host:port`.

    >>> split_address("superlink:8000")
    ('superlink', 8000)
    """
    host, _, port = address.rpartition(":")
    if not host or not _is_port(port):
        raise UserError("not host:port", where=address, remedy="such as superlink:8000")
    return host.strip("[]"), int(port)


def _is_port(text: str) -> bool:
    return text.isdecimal() and 0 < int(text) < 2**16


def _comment(meaning: str | None) -> list[str]:
    return [f"# {meaning}"] if meaning else []


def _read(path: Path, meanings: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError("no settings", where=path, remedy="`eyesoff deploy init` writes them") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError("cannot read the settings", where=path, remedy=str(error)) from None
    values, problems = {}, []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if matched := _LINE.fullmatch(line.strip()):
            values[matched[1]] = matched[2].strip().strip("\"'")
        else:
            problems.append(f"line {number} is not NAME=VALUE: {line.strip()[:60]!r}")
    values |= {name: environment[name] for name in meanings if environment.get(name)}
    problems += [f"{name} is missing: the {meaning}" for name, meaning in meanings.items() if not values.get(name)]
    port = values.get("EYESOFF_PORT", "")
    if port and not _is_port(port):
        problems.append(f"EYESOFF_PORT is not a port: {port!r}")
    if problems:
        raise UserErrors(f"{path}: {len(problems)} mistake{'s' * (len(problems) > 1)}", problems)
    return values
