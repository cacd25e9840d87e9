"""A recognizer from a bank alone, in the words of a comparison: one mode, with scores where a corpus is at hand.

Owns how it is tried and what is shown of its generators. Must not know how it was trained.
"""

from dataclasses import replace
from pathlib import Path

from common.config import Config
from common.corpora import corpus_root, read_corpus
from common.errors import UserError
from common.features.cache import features_for
from common.features.scaling import Scaling
from common.networks.acceleration import Acceleration
from common.recognizers import recognizer
from common.recognizers.trying import confusions_by_speaker
from common.scoring import Confusion, Metric, Summary, bootstrap
from common.settings import hash_identity
from common.spaces import PATCHES
from common.training.checkpoint import read_tensors
from server.bank import Bank
from server.bootstrap import fitting_config
from simulations.comparison.campaign import made_by, tested
from simulations.comparison.evidence import Gathered, put
from simulations.comparison.judging import look
from simulations.comparison.modes import ABLATED, MODES
from simulations.comparison.results import environment, ground
from simulations.comparison.schema import Results, Row, write_results

UNTESTED = "no speech to test on"
PROTOCOL = "a test only if no speaker of this corpus is behind one of the generators"


def bootstrapped(
    config: Config, bank: Bank, run: Path, weights: Path, corpus: str | None, root: str | None, command: str = ""
) -> Results:
    """What a bank's recognizer comes to, written into the run's folder with what its generators make."""
    config = fitting_config(config, bank.banked(), bank.folder)
    found = _confusions(config, bank, weights, corpus, root) if corpus else {}
    counts = {speaker: confusion.counts.tolist() for speaker, confusion in found.items()}
    results = replace(
        ground(config, config.corpus.emotions, [config.seed]),
        what="bootstrap",
        corpus=corpus or UNTESTED,
        protocol=PROTOCOL if corpus else UNTESTED,
        folds=[tested(corpus, counts)] if corpus else [],
        modes={ABLATED: _row(config, bank, list(found.values()), corpus or "")},
        counts={ABLATED: {str(config.seed): {corpus: counts}}} if corpus else {},
        command=command,
        environment=environment(config, [Acceleration.from_runtime(config.runtime).precision]),
    )
    _show(run, config, bank)
    write_results(run, results)
    return results


def _row(config: Config, bank: Bank, found: list[Confusion], fold: str) -> Row:
    about, synthesizer = MODES[ABLATED].about, bank.banked()[0].card.tuning.synthesizer
    if not found:
        return Row(about, synthesizer, complete=True, whole_seeds=[])

    def summary(metric: Metric) -> Summary:
        one = bootstrap(found, metric, seed=config.seed)
        return Summary(one.value, one.low, one.high, None, None, folds=1, seeds=1, n=one.n)

    return Row(
        about,
        synthesizer,
        complete=True,
        whole_seeds=[config.seed],
        macro_f1=summary("macro_f1"),
        uar=summary("uar"),
        accuracy=summary("accuracy"),
        confusion=sum(found[1:], start=found[0]).counts.tolist(),
        by_fold={fold: [sum(found[1:], start=found[0]).macro_f1]},
    )


def _confusions(config: Config, bank: Bank, weights: Path, corpus: str, root: str | None) -> dict[str, Confusion]:
    """Of each speaker of a corpus at hand."""
    tuning = bank.banked()[0].card.tuning
    if hash_identity(config.features.model_dump(mode="json")) != tuning.features:
        remedy = "use the configuration of the run that they came from: its config.toml"
        raise UserError("the generators were tuned on other features", where=bank.folder, remedy=remedy)
    if tuning.scaling is None:
        raise UserError("the releases are of no spectrograms", where=bank.folder, remedy="name a bank of patches")
    manifest = read_corpus(
        corpus, corpus_root(corpus, root, config.runtime.cache), emotions=config.corpus.emotions
    ).where(lambda utterance: utterance.emotion is not None)
    features = features_for(manifest, config.features, config.runtime)
    method, acceleration = recognizer(config.methods.recognizer), Acceleration.from_runtime(config.runtime)
    settings, classes = method.settings_of(config), config.corpus.classes
    predictor = method.predictor(read_tensors(weights)[0], settings, PATCHES, classes, acceleration)
    scaling = Scaling(tuning.scaling.low, tuning.scaling.high)
    return dict(zip(manifest.speakers, confusions_by_speaker(predictor, features, manifest, scaling), strict=True))


def _show(run: Path, config: Config, bank: Bank) -> None:
    """What the generators make, where it is known what their numbers mean."""
    banked = bank.banked()
    tuning, labels = banked[0].card.tuning, config.corpus.emotions
    if tuning.scaling and hash_identity(config.features.model_dump(mode="json")) == tuning.features:
        scaling = Scaling(tuning.scaling.low, tuning.scaling.high)
        looks = {ABLATED: look(None, *made_by(bank, banked, config))}
        put(run, Gathered("", config.seed, labels, scaling, config.features, looks))
