"""What `eyesoff deploy check` looks at before a site or a server starts: one plain function a question.

Owns the questions and their remedies. Must not know how findings are shown.
"""

import http.client
import os
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

from client.policy import load_policy
from client.site import Site, load_site
from client.survey import survey
from common.errors import UserError
from simulations.deployment.certificates import is_vouched, names_of, read_certificate, read_certificates
from simulations.deployment.commands import PROXY, SUPERLINK
from simulations.deployment.creation import SPEECH
from simulations.deployment.health import server_time
from simulations.deployment.keys import check_pair, strangers_may_read
from simulations.deployment.layout import SETTINGS, Layout, SiteFiles
from simulations.deployment.settings import read_settings, read_site_settings, split_address
from simulations.inspection.finding import Finding
from simulations.inspection.machine import graphics
from simulations.inspection.space import disk

SOON = timedelta(days=30)
TOLERATED = timedelta(seconds=60)
"""How far a site's clock may be off; Flower refuses what was signed 5 seconds in its future or 300 in its past."""
COPY_AGAIN = "copy the site's folder again from where `eyesoff deploy init` made it"

Known = TypeVar("Known")


def check_site(files: SiteFiles) -> Iterator[Finding]:
    """Everything that a site can find out before it starts: of the relay's folder, the keeper's, or both."""
    speech = None
    if files.relay.is_dir():
        settings = _settings(lambda: read_site_settings(files.relay / SETTINGS))
        yield settings[1]
        yield certificate(files.authority, "authority")
        yield pair(files.key, files.public_key)
        if settings[0] is not None:
            speech = settings[0].speech
            yield from server_seen_from_here(settings[0].server, settings[0].port, files.authority)
    if files.keeper.is_dir():
        try:
            site = load_site(files.site)
        except UserError as error:
            yield Finding("site", "fail", _line(error), "mend the site file")
            return
        yield Finding("site", "ok", f"session {site.session}, {site.corpus} at {site.root}")
        if speech is not None and site.root.is_relative_to(SPEECH):
            # What a container sees there, and has read-only.
            site = site.model_copy(update={"root": speech / site.root.relative_to(SPEECH)})
            found = data(site.root, lambda _: False)
        else:
            found = data(site.root)
        yield found
        if found.sign != "fail":
            yield labels(site)
        yield policy(site)
        yield disk(site.state, "disk")
        yield gpu(site)


def check_server(layout: Layout) -> Iterator[Finding]:
    """Everything that the server's people can find out before they start it."""
    settings, finding = _settings(lambda: read_settings(layout.settings))
    yield finding
    server = layout.server
    yield certificate(server.authority, "authority")
    for name, files in ((PROXY, layout.proxy), (SUPERLINK, server)):
        host = settings.server if settings is not None and name == PROXY else None
        yield certificate(files.certificate(name), name, authority=server.authority, host=host)
        yield private(files.key(name), f"{name} key")
    yield private(server.secret, "secret")
    yield disk(layout.state, "disk")
    if settings is not None:
        yield port_free("0.0.0.0", settings.port, "proxy port")  # noqa: S104 - asked, not served
        yield port_free(*split_address(settings.superlink), "superlink port")


def certificate(
    path: Path, name: str, *, authority: Path | None = None, host: str | None = None, now: datetime | None = None
) -> Finding:
    """Whether a certificate is good now, for how long, from whom, and for which host."""
    now = now or datetime.now(UTC)
    try:
        read = read_certificate(path)
        signed = authority is None or is_vouched(read_certificates(path), read_certificates(authority))
    except UserError as error:
        return Finding(name, "fail", str(error), COPY_AGAIN)
    begins, ends = read.not_valid_before_utc, read.not_valid_after_utc
    if now < begins:
        remedy = "set this machine's clock; if it is right: `eyesoff deploy init --renew`"
        return Finding(name, "fail", f"not valid before {begins:%Y-%m-%d %H:%M} UTC: {path}", remedy)
    if now > ends:
        remedy = "the server's people make a new one with `eyesoff deploy init --renew`"
        return Finding(name, "fail", f"expired on {ends:%Y-%m-%d %H:%M} UTC: {path}", remedy)
    if not signed:
        return Finding(name, "fail", f"not made by the authority in {authority}: {path}", COPY_AGAIN)
    if host is not None and host not in names_of(read):
        remedy = f"`eyesoff deploy init --renew --host {host}`"
        return Finding(name, "fail", f"good for {', '.join(names_of(read))}, not for {host}", remedy)
    days = (ends - now).days
    if ends - now < SOON:
        return Finding(name, "warn", f"expires in {days} days", "renew it: `eyesoff deploy init --renew`")
    return Finding(name, "ok", f"good until {ends:%Y-%m-%d}, {days} days", figures={"days": days})


def private(path: Path, subject: str) -> Finding:
    """Whether a secret file is its owner's alone."""
    if not path.is_file():
        return Finding(subject, "fail", f"missing: {path}", COPY_AGAIN)
    if strangers_may_read(path):
        seen = f"other users of this machine may read it: {path}"
        return Finding(subject, "fail", seen, f"chmod 600 {path}; if it lay open for long, revoke it and make another")
    return Finding(subject, "ok", "its owner's alone")


def pair(key: Path, public: Path) -> Finding:
    """Whether a site's key is one that Flower takes, whole, and nobody else's to read."""
    try:
        check_pair(key, public)
    except UserError as error:
        return Finding("key", "fail", str(error), COPY_AGAIN)
    return private(key, "key")


def server_seen_from_here(host: str, port: int, authority: Path, now: datetime | None = None) -> list[Finding]:
    """Whether the server answers, is who it says, and has the same time; the second is asked of who answers alone."""
    where = f"{host}:{port}"
    try:
        told = server_time(host, port, authority)
    except ssl.SSLCertVerificationError as error:
        remedy = "compare ca.crt with the server's people by telephone; do not go on without"
        if "valid" in error.verify_message or "expired" in error.verify_message:
            remedy = "is this machine's clock right? If so, the server's people renew its certificate"
        return [Finding("server", "fail", f"{where} is not whom ca.crt vouches for: {error.verify_message}", remedy)]
    except ssl.SSLError as error:
        remedy = "is this the proxy's port? Whoever answers there speaks no TLS"
        return [Finding("server", "fail", f"no TLS handshake with {where}: {error.reason}", remedy)]
    except socket.gaierror:
        return [Finding("server", "fail", f"no such host: {host}", "mend EYESOFF_SERVER, or ask for its name")]
    except (OSError, http.client.HTTPException) as error:
        remedy = "is the server up, and does a firewall let this machine out to it?"
        return [Finding("server", "fail", f"nobody answers at {where}: {error}", remedy)]
    return [Finding("server", "ok", f"{where} answers with a certificate that ca.crt vouches for"), clock(told, now)]


def clock(date: str, now: datetime | None = None) -> Finding:
    """Whether this machine's clock is near the server's, which told its own in an answer's header."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        seen = f"the server told no time that can be read: {date!r}"
        return Finding("clock", "warn", seen, "compare this machine's clock with the server's by hand")
    off = (now or datetime.now(UTC)) - (told if told.tzinfo else told.replace(tzinfo=UTC))  # -0000 is UTC
    seconds = round(off.total_seconds())
    if abs(off) > TOLERATED:
        seen = f"{timedelta(seconds=abs(seconds))} {'ahead of' if seconds > 0 else 'behind'} the server's"
        return Finding("clock", "fail", seen, "set it (timedatectl set-ntp true): signatures carry the time")
    return Finding("clock", "ok", f"{abs(seconds)} s from the server's", figures={"seconds": seconds})


def data(root: Path, may_write: Callable[[Path], bool] = lambda path: os.access(path, os.W_OK)) -> Finding:
    """Whether there is speech, and whether the keeper could do no more than read it."""
    folder = root if root.is_dir() else root.parent
    if not root.exists() or not any(folder.iterdir()):
        remedy = "mount the recordings there, or mend `root` in the site file"
        return Finding("data", "fail", f"{'empty' if root.exists() else 'missing'}: {root}", remedy)
    if may_write(folder):
        remedy = "mount it read-only (:ro in compose), or take the right to write from the keeper's user"
        return Finding("data", "warn", f"may be written: {folder}", remedy)
    return Finding("data", "ok", f"{root}, read-only")


def labels(site: Site) -> Finding:
    """What of the recordings the keeper would use, by their labels and headers, and what it would leave out."""
    try:
        found = survey(site)
        word = found.refusal(load_policy(site.policy))
    except UserError as error:
        return Finding("labels", "fail", _line(error), "`options` in the site file maps labels, such as anger=angry")
    seen = f"the keeper would use {found.held()}"
    figures = {"used": len(found.manifest), "dropped": found.dropped}
    if word is not None:
        remedy = "leave out the emotion that has too few, or lower the minimum in the policy"
        return Finding("labels", "fail", f"{seen}; it would refuse everything: {word.meaning}", remedy, figures)
    if not found.dropped:
        return Finding("labels", "ok", seen, figures=figures)
    seen += f"; it would leave out {found.dropped}: {'; '.join(found.reasons())}"
    if not found.maps():
        return Finding("labels", "ok" if not found.manifest.skipped else "warn", seen, figures=figures)
    wanted = ", ".join(f'"{one}"' for one in found.maps())
    return Finding("labels", "warn", seen, f"map labels in the site file: options = [{wanted}]", figures)


def policy(site: Site) -> Finding:
    """What the site's policy lets out, in a line."""
    try:
        read = load_policy(site.policy)
    except UserError as error:
        return Finding("policy", "fail", _line(error), "mend the policy file")
    if site.policy is None:
        return Finding("policy", "warn", "the site file names none: the default holds", '`policy = "policy.toml"`')
    seen = f"lets out {', '.join(read.allow)}; {read.tunings_a_day} tunings and {read.mebibytes_a_day} MiB a day"
    if read.per_speaker or read.tell_counts:
        seen += "; tells " + " and ".join(
            words for words, told in (("counts", read.tell_counts), ("speakers apart", read.per_speaker)) if told
        )
    return Finding("policy", "ok", seen)


def gpu(site: Site, found: Callable[[], Finding] = graphics) -> Finding:
    """Whether the device that the site file names is here."""
    finding = found()
    if site.runtime.device.startswith("cuda") and not finding.figures.get("gpus"):
        remedy = 'install the NVIDIA container toolkit, or set device = "auto" in the site file'
        return Finding("gpu", "fail", f"the site file wants {site.runtime.device}: {finding.seen}", remedy)
    return finding


def port_free(host: str, port: int, subject: str) -> Finding:
    """Whether nobody listens there yet."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            remedy = f"stop whoever has it (ss -ltnp 'sport = :{port}'), or choose another port in .env"
            return Finding(subject, "fail", f"{port}: {error.strerror}", remedy)
    return Finding(subject, "ok", f"{port} is free")


def _settings(read: Callable[[], Known]) -> tuple[Known | None, Finding]:
    try:
        return read(), Finding("settings", "ok", "complete")
    except UserError as error:
        return None, Finding("settings", "fail", _line(error), "mend .env, or make it again with `eyesoff deploy init`")


def _line(error: UserError) -> str:
    return " ".join(str(error).split())
