"""The trials of a configuration: what its protocol cuts from a corpus.

Owns which protocols a campaign can keep to. Must not know any of them.
"""

from common.config import Config
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.protocols import Trial, protocol


def session_trials(config: Config, manifest: Manifest) -> tuple[Trial, ...]:
    """Of a protocol that leaves whole sessions out, as each session is a site."""
    one = protocol(config.methods.protocol)
    if one.cuts is None:
        remedy = "each session is a site; set methods.protocol to leave-one-session-out"
        raise UserError("this protocol cuts through sessions", where=one.name, remedy=remedy)
    return one.trials(manifest, one.settings_of(config), config.seed)
