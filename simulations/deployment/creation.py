"""`eyesoff deploy init` and `add-client`: everything that must be there before the first process starts.

Owns what is made, and that nothing made is made twice: keys that sites hold already stay as they are.
"""

import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from client.bases import shipped_bases
from client.policy import Gatekeeper, Policy
from client.recipes import preset_recipes
from client.simulated import session_file, site_file, site_name
from client.site import STATE
from common.config import Config
from common.config.showing import spell
from common.corpora import labelled_corpus
from common.errors import UserError
from common.files import atomic_write
from common.settings import Section
from simulations.deployment.certificates import (
    Authority,
    is_signed_by,
    issue,
    names_of,
    new_authority,
    read_authority,
    read_certificate,
    require_name,
)
from simulations.deployment.commands import PROXY, SUPERLINK
from simulations.deployment.keys import new_pair, new_secret
from simulations.deployment.layout import SETTINGS, Layout
from simulations.deployment.sessions import keep_session
from simulations.deployment.settings import write_settings
from simulations.steward.policy_words import RULES

INSIDE = ("superlink", "localhost", "127.0.0.1")
"""How the server's own processes reach the SuperLink."""
NOBODY = "10001:10001"
"""The user of the images."""
SPEECH = Path("/srv/speech")
"""Where a site's speech is expected until its people say otherwise."""


AUDITED: Gatekeeper = "audited"
"""Of a site elsewhere: what an audit refuses or cannot tell waits for its steward, for nobody knows its speech here."""


@dataclass(frozen=True)
class Newcomer:
    """A site that is to join: its folder's name, the session it holds, its site file, and who lets its releases go."""

    name: str
    session: str
    text: str
    release: Gatekeeper = "always"


def sessions_as_sites(config: Config) -> list[Newcomer]:
    """A rehearsal: each session of a corpus at hand is a site, called site1 and so on."""
    manifest = labelled_corpus(config.corpus, config.runtime)
    return [
        Newcomer(f"site{number}", site_name(session), session_file(session, config, manifest))
        for number, session in enumerate(manifest.sessions, start=1)
    ]


def sites_elsewhere(config: Config, names: Sequence[str]) -> list[Newcomer]:
    """Places with speech of their own, which their own people will describe in the site file."""
    for name in names:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", name):
            remedy = "small letters, digits and hyphens, at most 31"
            raise UserError("not a name for a site", where=repr(name), remedy=remedy)
    heading = (
        "# Where this site's speech lies: a table with the columns path, emotion, session and speaker, or a corpus\n"
    )
    heading += "# that `eyesoff corpus describe` knows. The server reads none of this.\n"
    heading += (
        '# `options` reads other labels, such as options = ["anger=angry"]; `holds` names the session of a corpus\n'
    )
    heading += "# that lives here, and is empty for all of it; `skew` is for studies.\n"
    root, emotions = SPEECH / "recordings.csv", config.corpus.emotions
    return [
        Newcomer(
            name,
            name,
            heading + site_file(config, session=name, corpus="table", root=root, holds="", emotions=emotions),
            AUDITED,
        )
        for name in names
    ]


def create(
    layout: Layout, hosts: Sequence[str], port: int, newcomers: Sequence[Newcomer], *, days: int, renew: bool
) -> list[str]:
    """Make what is missing; the answer is a line for each thing made."""
    for host in hosts:
        require_name(host)
    made = _create_server(layout, hosts, days=days, renew=renew)
    for newcomer in newcomers if layout.authority_key.exists() else ():  # elsewhere a server's own part alone
        made += add_site(layout, newcomer, hosts[0], port)
        keep_session(layout.server.sessions, newcomer.name, newcomer.session)
    if not layout.settings.exists():
        write_settings(layout.settings, _settings(layout, hosts[0], port))
        made.append(f"settings: {layout.settings}")
    return made


def _create_server(layout: Layout, hosts: Sequence[str], *, days: int, renew: bool) -> list[str]:
    made, server = [], layout.server
    answering = {PROXY: tuple(dict.fromkeys((*hosts, *INSIDE[1:]))), SUPERLINK: INSIDE}
    files = {PROXY: layout.proxy, SUPERLINK: server}
    wanted = [name for name in answering if renew or not files[name].certificate(name).exists()]
    for name in [name for name in wanted if _is_given(layout, files[name].certificate(name))]:
        wanted.remove(name)
        made.append(
            f"certificate of the {name}: another authority's, left as it is; `eyesoff deploy certificates` renews"
        )
    if wanted:
        authority, told = _authority(layout)
        made += told
        for name in wanted:
            certificate = files[name].certificate(name)
            issue(authority, answering[name], files[name].key(name), certificate, days=days)
            made.append(f"certificate of the {name}: {describe(certificate)}")
    if not layout.proxy.authority.exists():
        atomic_write(layout.proxy.authority, server.authority.read_bytes())
    if not server.secret.exists():
        new_secret(server.secret)
        made.append(f"secret between SuperLink and SuperExec: {server.secret}")
    return made


def _is_given(layout: Layout, certificate: Path) -> bool:
    """Whether a certificate comes from an authority that is not this deployment's."""
    own = layout.authority_certificate
    if not certificate.exists() or not own.exists():
        return False
    return not is_signed_by(read_certificate(certificate), read_certificate(own))


def _authority(layout: Layout) -> tuple[Authority, list[str]]:
    """Whoever signs here; made only where nobody has signed anything yet."""
    files = layout.authority_key, layout.authority_certificate
    if layout.authority_key.exists():
        return read_authority(*files), []
    if layout.server.authority.exists():
        remedy = "call this where it is kept; sites trust no other"
        raise UserError("the authority's key is not here", where=layout.authority_key, remedy=remedy)
    made = new_authority(*files)
    atomic_write(layout.server.authority, layout.authority_certificate.read_bytes())
    return made, [f"authority: {layout.authority_key}; keep it where nobody works"]


def add_site(layout: Layout, newcomer: Newcomer, host: str, port: int) -> list[str]:
    """A site's folder, and its public key among the server's; nothing, if it has one already."""
    files = layout.site(newcomer.name)
    if files.key.exists():
        return []
    atomic_write(files.authority, layout.server.authority.read_bytes())
    atomic_write(files.site, newcomer.text.encode())
    atomic_write(files.policy, policy_text(newcomer.release).encode())
    values = {"EYESOFF_SERVER": host, "EYESOFF_PORT": str(port), "EYESOFF_SITE": newcomer.name}
    write_settings(files.relay / SETTINGS, values)
    new_pair(files.key, files.public_key)
    (files.keeper / STATE).mkdir(mode=0o700, exist_ok=True)  # all that a keeper's container may write of its folder
    public = layout.server.public_keys / f"{newcomer.name}.pub"
    atomic_write(public, files.public_key.read_bytes())
    means = f'release = "{newcomer.release}" in its keeper/policy.toml: {RULES[newcomer.release]}'
    return [f"site {newcomer.name}: {layout.site_folder(newcomer.name)}, to be carried there by hand", means]


TABLES = "audit", "bounds"
"""Rules of a policy that have rules of their own."""


def policy_text(release: Gatekeeper) -> str:
    """The default policy but for who lets go, each rule with its meaning above it, for a steward to narrow."""
    policy = Policy(release=release)
    lines = ["# What this site lets a server ask for and take away. The keeper reads it when it starts."]
    lines += _rules(policy, {"bases": _named(shipped_bases()), "recipes": _named(preset_recipes())})
    for name in TABLES:
        table = [f"[{name}]", *_rules(getattr(policy, name), {})]
        lines += ["", f"# {Policy.model_fields[name].description}", *table]
    return "\n".join(lines) + "\n"


def _rules(section: Section, notes: Mapping[str, str]) -> list[str]:
    """A section's settings, each below its meaning; `notes` say more of some."""
    values, lines = section.model_dump(mode="json"), []
    for name, field in type(section).model_fields.items():
        if name in TABLES:
            continue
        meaning = f"{field.description}{notes.get(name, '')}"
        lines += ["", *textwrap.wrap(meaning, 108, initial_indent="# ", subsequent_indent="# ")]
        lines.append(f"{name} = {spell(values[name])}")
    return lines


def _named(digests: Mapping[str, object]) -> str:
    """Which digest is what, for those that come with eyesoff."""
    known = ", ".join(f"{digest[:8]}... is {getattr(what, 'name', what)}" for digest, what in digests.items())
    return f" ({known})"


def known_names(layout: Layout) -> list[str]:
    """Those under which the server is reached so far, for a certificate in place of its old one."""
    certificate = layout.proxy.certificate(PROXY)
    return list(names_of(read_certificate(certificate))) if certificate.exists() else []


def describe(certificate: Path) -> str:
    """For whom a certificate is good, and until when."""
    read = read_certificate(certificate)
    return f"good for {', '.join(names_of(read))} until {read.not_valid_after_utc:%Y-%m-%d}"


def _settings(layout: Layout, host: str, port: int) -> dict[str, str]:
    """For the commands here, and for docker compose: whose files are mounted where, and who reads them."""
    folders = {"EYESOFF_SERVER_FILES": layout.server.folder, "EYESOFF_PROXY_FILES": layout.proxy.folder}
    folders |= {
        f"EYESOFF_{name.upper().replace('-', '_')}_{part.upper()}": layout.site_folder(name) / part
        for name in layout.sites
        if re.fullmatch(r"site\d", name)  # those that docker-compose.yml knows
        for part in ("keeper", "relay")
    }
    user = f"{os.getuid()}:{os.getgid()}" if os.getuid() else NOBODY
    return {
        "EYESOFF_SERVER": host,
        "EYESOFF_PORT": str(port),
        "EYESOFF_SUPERLINK": "127.0.0.1:8000",
        "EYESOFF_USER": user,
        "COMPOSE_PROFILES": "server-cpu",
        **{name: str(folder.resolve()) for name, folder in folders.items()},
    }
