"""Cross corpus: train on one corpus, or all but one, and test on another, with the emotions that both have.

Owns this protocol (Sahu et al., section 5.2.1). Speakers of two corpora are never the same.
"""

from collections.abc import Sequence

from pydantic import Field

from common.corpora.joint import corpus_of
from common.corpora.manifest import Manifest
from common.errors import UserError
from common.protocols.drawing import counts, first_of_each
from common.protocols.protocol import Cut, Protocol, Trial
from common.settings import Section


class CrossCorpusConfig(Section):
    """Which corpora of a joint one are tested."""

    test: tuple[str, ...] = Field((), description="one fold each, trained on all others; empty is every corpus in turn")
    equal: bool = Field(False, description="of the test, as many utterances of each emotion, drawn by chance")


class Settings(Section):
    """Of this protocol."""

    cross_corpus: CrossCorpusConfig = CrossCorpusConfig()


def _cuts(sessions: Sequence[str], settings: Settings) -> tuple[Cut, ...]:
    corpora = list(dict.fromkeys(map(corpus_of, sessions)))
    if len(corpora) < 2 or "" in corpora:
        remedy = 'set corpus.name to "joint", and corpus.options to ["emodb=EMO-DB", "ravdess=RAVDESS"] or others'
        raise UserError("one corpus alone cannot be crossed", where=", ".join(sessions), remedy=remedy)
    tested = settings.cross_corpus.test or tuple(corpora)
    if unknown := [name for name in tested if name not in corpora]:
        raise UserError(
            "no such corpus among those joined",
            where=f"cross_corpus.test = {', '.join(unknown)}",
            remedy=f"there are {', '.join(corpora)}",
        )
    return tuple(
        Cut(
            name,
            tuple(session for session in sessions if corpus_of(session) != name),
            tuple(session for session in sessions if corpus_of(session) == name),
        )
        for name in tested
    )


def _trials(manifest: Manifest, settings: Settings, seed: int) -> tuple[Trial, ...]:
    return tuple(_trial(manifest, cut, settings, seed) for cut in _cuts(manifest.sessions, settings))


def _trial(manifest: Manifest, cut: Cut, settings: Settings, seed: int) -> Trial:
    sides = [manifest.where(lambda one, side=side: one.session in side) for side in (cut.train, cut.test)]  # type: ignore[misc]
    shared = {label for label in manifest.labels if all(counts(side)[label] for side in sides)}
    if len(shared) < 2:
        found = "; ".join(
            f"{', '.join(sorted({*map(corpus_of, side.sessions)}))}: {', '.join(filter(counts(side).get, side.labels))}"
            for side in sides
        )
        remedy = "choose corpora, or emotions by corpus.emotions, that have two or more in common"
        what = f"only the emotion {', '.join(shared)}" if shared else "no emotion"
        raise UserError(f"{what} in common", where=found, remedy=remedy)
    train, test = (side.where(lambda one: one.emotion in shared) for side in sides)
    if settings.cross_corpus.equal:
        least = min(counts(test)[label] for label in shared)
        test = first_of_each(test, lambda one: one.emotion, lambda emotion, count: least, seed, "cross corpus")
    return Trial(cut.name, train, test)


PROTOCOL = Protocol(
    name="cross-corpus",
    about="Each corpus of a joint one is tested by what all others taught, in the emotions that both have.",
    Settings=Settings,
    trials=_trials,
    cuts=_cuts,
    paper="Sahu et al., 2018 and 2020",
)
