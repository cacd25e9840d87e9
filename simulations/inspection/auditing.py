"""A bank audited by whoever has the speech of its sites, as one person has in a simulation.

Owns which speech is whose. Must not know how an audit measures, nor how it is printed.
"""

from collections.abc import Collection

from client.simulated import site_name
from common.audit.outside import Outside, from_outside
from common.audit.speech import Speech
from common.audit.twins import Audit
from common.audit.verdict import Limits
from common.config import Config
from common.corpora import corpus_root, read_corpus
from common.errors import UserError
from common.features.scaling import Scaling
from common.features.spaces import features_in
from common.settings import option_words
from server.bank import Bank
from server.samplers import sampler_in


def audit_bank(
    config: Config, bank: Bank, members: Collection[str], strangers: Collection[str], samples: int
) -> Outside:
    """Releases of these sessions beside speech of these others; all that there are, where none is named."""
    banked = [one for one in bank.banked() if not members or one.session in members]
    if not banked:
        raise UserError("no release is of these sessions", where=bank.folder, remedy="`eyesoff bank list` shows them")
    tuning = banked[0].card.tuning
    for one in banked:
        if (one.card.tuning.space, one.card.tuning.labels) != (tuning.space, tuning.labels):
            raise UserError("releases of several kinds", where=bank.folder, remedy="audit those of one run")
    corpus = config.corpus
    root = corpus_root(corpus.name, config.runtime.corpus_root, config.runtime.cache_folder)
    whole = read_corpus(corpus.name, root, emotions=tuning.labels, options=option_words(corpus.options))
    named = {session: site_name(session) for session in whole.sessions}  # by which sites are called in a bank
    wanted = (
        {one.session for one in banked} | {*map(site_name, strangers)} | (set() if strangers else {*named.values()})
    )
    if missing := sorted(wanted - {*named.values()}):
        remedy = "name the corpus that the bank's sites have with --corpus and --root"
        raise UserError("sessions that the corpus lacks", where=", ".join(missing), remedy=remedy)
    speech = whole.where(lambda one: one.emotion is not None and named[one.session] in wanted)
    scaling = None if tuning.scaling is None else Scaling(tuning.scaling.low, tuning.scaling.high)
    features = features_in(tuning.space, speech, config, config.runtime, skip_bad=True)
    placed = Speech(features, tuning.space, scaling)
    audit = Audit(placed.utterances, placed.place, Limits(samples=samples), config.seed)
    samplers = {one.session: sampler_in(bank, one) for one in banked}
    return from_outside(audit, samplers, [named[one.session] for one in features.manifest.utterances])
