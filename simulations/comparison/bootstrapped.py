"""A recognizer from a bank alone, in the words of a comparison: one mode, with scores where a corpus is at hand.

Owns what becomes of its scores and what is shown of its generators. Must not know how it was trained, nor tried.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from common.config import Config
from common.corpora.manifest import Manifest
from common.networks.acceleration import Acceleration
from common.recognizers.model import load_model
from common.recognizers.scoring import NOTE, confusions_of, keep_scores, scores_of
from common.scoring import Confusion, Metric, Score, Summary
from server.bank import Bank
from server.bootstrap import fitting_config
from simulations.comparison.campaign import made_by, tested
from simulations.comparison.evidence import Gathered, put
from simulations.comparison.modes import ABLATED, MODES
from simulations.comparison.results import environment, ground
from simulations.comparison.sample_quality import look
from simulations.comparison.schema import Counts, Results, Row, write_results

UNTESTED = "no speech to test on"


def bootstrapped(
    config: Config, bank: Bank, run: Path, model: Path, speech: Manifest | None, command: str = ""
) -> Results:
    """What a bank's recognizer comes to on speech at hand, and what its generators make; all of it kept in the run."""
    config = fitting_config(config, bank.banked(), bank.folder)
    begun = replace(
        ground(config, config.corpus.emotions, [config.seed]),
        what="bootstrap",
        corpus=speech.corpus if speech else UNTESTED,
        protocol=NOTE if speech else UNTESTED,
        command=command,
        environment=environment(config, [Acceleration.of(config.runtime).precision]),
    )
    row = Row(MODES[ABLATED].about, bank.banked()[0].card.tuning.synthesizer, complete=True, whole_seeds=[])
    results = replace(begun, modes={ABLATED: row})
    if speech:
        found = confusions_of(load_model(model), speech, config.runtime)
        scores = scores_of(list(found.values()), config.seed)
        keep_scores(model, scores, speech.corpus)
        results = _scored(begun, row, speech.corpus, found, scores)
    _show(run, config, bank)
    write_results(run, results)
    return results


def _scored(
    begun: Results, row: Row, corpus: str, found: Mapping[str, Confusion], scores: Mapping[Metric, Score]
) -> Results:
    """Of one fold, which is the corpus."""
    seed, counts = begun.seeds[0], {speaker: one.counts.tolist() for speaker, one in found.items()}
    table: Counts = {str(seed): {corpus: counts}}
    first, *others = found.values()
    whole = replace(
        row,
        whole_seeds=[seed],
        macro_f1=_summary(scores["macro_f1"]),
        uar=_summary(scores["uar"]),
        accuracy=_summary(scores["accuracy"]),
        confusion=sum(others, start=first).counts.tolist(),
        by_fold={corpus: [scores["macro_f1"].value]},
    )
    return replace(begun, folds=[tested(corpus, counts)], modes={ABLATED: whole}, counts={ABLATED: table})


def _summary(one: Score) -> Summary:
    return Summary(one.value, one.low, one.high, None, None, folds=1, seeds=1, n=one.n)


def _show(run: Path, config: Config, bank: Bank) -> None:
    """What the generators make, where that is a picture."""
    banked = bank.banked()
    told = banked[0].card.tuning.scaling
    if told:
        looks = {ABLATED: look(None, *made_by(bank, banked, config))}
        scaling = {"low": told.low, "high": told.high}
        put(run, Gathered("", config.seed, config.corpus.emotions, scaling, config.features, looks))
