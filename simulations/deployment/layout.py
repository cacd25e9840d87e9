"""Where a deployment's files lie: what the authority, server, proxy, each site's keeper and each site's relay may see.

Owns the names. Five kinds of folder, because five parties get one each; nobody but the authority gets its key.

    .env                      settings, read by docker compose as well
    authority/ca.key ca.crt   signs certificates; belongs on a machine that does nothing else
    server/                   ca.crt, the SuperLink's certificate and key, its secret, the sites' public keys
    proxy/                    ca.crt, the proxy's certificate and key: strangers talk to it, so it sees no other
    sites/NAME/keeper/        site.toml, policy.toml and, as it works, state/
    sites/NAME/relay/         ca.crt, the site's key pair, .env
"""

from dataclasses import dataclass
from pathlib import Path

from common.errors import UserError

SETTINGS = ".env"
AUTHORITY, PUBLIC = "ca.key", "ca.crt"
KEY = "supernode"


@dataclass(frozen=True)
class ServerFiles:
    """What the server's processes read, or the proxy alone, which has a folder of its own."""

    folder: Path

    @property
    def authority(self) -> Path:
        """The certificate by which others are judged."""
        return self.folder / PUBLIC

    @property
    def secret(self) -> Path:
        """What the SuperExec proves itself to the SuperLink with."""
        return self.folder / "superexec.secret"

    @property
    def public_keys(self) -> Path:
        """One file a site: who may join."""
        return self.folder / "keys"

    @property
    def sessions(self) -> Path:
        """Which session each site's key is for; one that it does not name is for a session of the site's own name."""
        return self.folder / "sessions.json"

    def certificate(self, name: str) -> Path:
        """The certificate of the proxy or the SuperLink."""
        return self.folder / f"{name}.crt"

    def key(self, name: str) -> Path:
        """Its private key."""
        return self.folder / f"{name}.key"


@dataclass(frozen=True)
class SiteFiles:
    """What a site's two processes read, each in a folder of its own."""

    keeper: Path
    relay: Path

    @classmethod
    def of(cls, folder: Path) -> "SiteFiles":
        """Both folders of a site that has them side by side."""
        return cls(folder / "keeper", folder / "relay")

    @property
    def site(self) -> Path:
        """What the site holds."""
        return self.keeper / "site.toml"

    @property
    def policy(self) -> Path:
        """What may leave it."""
        return self.keeper / "policy.toml"

    @property
    def authority(self) -> Path:
        """The certificate by which the server is judged."""
        return self.relay / PUBLIC

    @property
    def key(self) -> Path:
        """The relay's private key; its public half lies beside it."""
        return self.relay / KEY

    @property
    def public_key(self) -> Path:
        """What the server is told."""
        return self.relay / f"{KEY}.pub"


@dataclass(frozen=True)
class Layout:
    """A whole deployment in one folder, as `init` writes it, before each party takes its part away."""

    folder: Path

    @property
    def settings(self) -> Path:
        """The server's settings."""
        return self.folder / SETTINGS

    @property
    def authority_key(self) -> Path:
        """What signs; whoever has it can pretend to be the server."""
        return self.folder / "authority" / AUTHORITY

    @property
    def authority_certificate(self) -> Path:
        """What everybody judges by."""
        return self.folder / "authority" / PUBLIC

    @property
    def server(self) -> ServerFiles:
        """The server's part."""
        return ServerFiles(self.folder / "server")

    @property
    def proxy(self) -> ServerFiles:
        """The proxy's part."""
        return ServerFiles(self.folder / "proxy")

    @property
    def state(self) -> Path:
        """What the server's processes write: Flower's database and their logs."""
        return self.folder / "state"

    @property
    def book(self) -> Path:
        """The names of the registered sites."""
        return self.state / "sites.json"

    @property
    def sites(self) -> tuple[str, ...]:
        """Names of the sites that have a folder here."""
        return tuple(sorted(path.name for path in (self.folder / "sites").glob("*") if path.is_dir()))

    def site(self, name: str) -> SiteFiles:
        """One site's part."""
        return SiteFiles.of(self.site_folder(name))

    def site_folder(self, name: str) -> Path:
        """The folder that a site's people take away."""
        return self.folder / "sites" / name

    def require(self) -> None:
        """Refuse a folder that `init` has not written."""
        if not self.settings.is_file():
            raise UserError("not a deployment", where=self.folder, remedy="`eyesoff deploy init DIR` makes one")
