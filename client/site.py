"""What a site holds and where, as the site itself wrote it down.

Owns the site file. Must not know any server: nothing in here can be set by a request.
"""

from pathlib import Path

from pydantic import Field, ValidationError

from client.dice import SECRET
from common.config.reading import all_mistakes, mistakes_in, read_toml
from common.settings import (
    EMOTIONS,
    SKEW,
    FeatureConfig,
    Labels,
    Options,
    RuntimeConfig,
    Section,
    Skew,
    VectorConfig,
)
from common.spaces import Name

STATE = "state"
STRANGERS = 0o007
HINT = (
    "the settings of a site are session, corpus, root, holds, options, emotions, skew, skew_seed, state, policy, "
    "features, vectors, runtime"
)


class Site(Section):
    """One place where emotional speech lives, and the session it answers for."""

    session: Name = Field(description="the alias by which servers know this site")
    corpus: str = Field("table", description="a layout that `eyesoff corpus describe` knows")
    root: Path = Field(description="folder (or table) of the speech; relative to the site file")
    holds: str = Field("", description="the corpus's session that lives here; empty for all of the corpus")
    options: Options = Field((), description="of the layout, such as dialogs=improvised")
    emotions: Labels = EMOTIONS
    skew: Skew = Field("none", description=SKEW)
    skew_seed: int = Field(0, ge=0)
    state: Path = Field(Path(STATE), description="checkpoints, finished releases, the ledger, the feature cache")
    policy: Path | None = Field(None, description="policy file; without one the default policy holds")
    features: FeatureConfig = FeatureConfig()
    vectors: VectorConfig = VectorConfig()
    runtime: RuntimeConfig = RuntimeConfig(threads=1)

    @property
    def ledger(self) -> Path:
        """Where everything that left is written down."""
        return self.state / "ledger.jsonl"

    @property
    def secret(self) -> Path:
        """What every random draw here comes from; made here, so that not even the server's people know it."""
        return self.state / SECRET


def load_site(path: Path) -> Site:
    """The site that a file describes; its relative paths start at the file."""
    tree = read_toml(path, "site file", remedy="`eyesoff deploy init` writes one")
    try:
        site = Site.model_validate(tree)
    except ValidationError as error:
        raise all_mistakes(path, mistakes_in(error, hint=HINT)) from None
    here = path.resolve().parent
    policy = None if site.policy is None else here / site.policy
    return site.model_copy(update={"root": here / site.root, "state": here / site.state, "policy": policy})


def open_to_strangers(site: Site) -> tuple[Path, ...]:
    """Those of the site's folders into which any user of this machine can look."""
    folders = {site.root if site.root.is_dir() else site.root.parent, site.state}
    return tuple(sorted(folder for folder in folders if folder.exists() and folder.stat().st_mode & STRANGERS))
