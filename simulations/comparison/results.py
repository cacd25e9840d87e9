"""From counts and units to results.

Owns every step between what was computed and what is written down. Must not know the file's form
(`simulations.comparison.schema`), how a unit is computed, nor how any of this is shown.
"""

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import torch

from client.simulated import site_name
from common.augmentation import STAYS
from common.config import Config
from common.networks.acceleration import Acceleration
from common.privacy.summation import Round
from common.protocols import Trial
from common.recognizers.averaging import leaving
from common.recognizers.methods.dnn import RECOGNIZER as DENSE
from common.scoring import AVERAGED_OVER, METRICS, Confusion, Outcome, gap_closed
from common.synthesizers import synthesizer
from common.training.checkpoint import Card
from common.version import VERSION, commit
from common.weights import shapes_in
from common.wire.terms import asked_form, form_of, precision_in
from simulations.comparison.ablations import Ablation
from simulations.comparison.arms import arms_of, counts_in, shown_of, title_of, trainings
from simulations.comparison.differences import compared, corrected, same_seeds
from simulations.comparison.measures import OF_VECTORS
from simulations.comparison.modes import ABLATED, FLOOR, REAL, Mode
from simulations.comparison.schema import (
    Aside,
    Attack,
    Counts,
    Difference,
    Failed,
    Gap,
    Measured,
    Pair,
    Quality,
    Results,
    Row,
    Spent,
    Tested,
    Turned,
)
from simulations.comparison.setting import Setting
from simulations.comparison.store import ATTACK, COUNTS, QUALITY, Store
from simulations.comparison.units import COPYING, KINDS, NOISE, Unit, row_of
from simulations.inspection.machine import processor
from simulations.trials import leak_of

PRETRAINING = "pretraining"
MEASURES = ("frechet", "kernel", "density", "coverage", "recognized")
"""In whichever space."""


def ground(config: Config, labels: Sequence[str], seeds: Sequence[int]) -> Results:
    """Results of which nothing is known yet but what they are of."""
    settings = {name: value for name, value in config.identity().items() if name != PRETRAINING}
    begun = Results(config.corpus.name, config.name, config.identity_hash(), list(labels), list(seeds), settings)
    return replace(begun, protocol=config.methods.protocol.replace("-", " "), averaged_over=AVERAGED_OVER)


def scored(ground: Results, modes: Sequence[Mode], counts: Mapping[str, Counts]) -> Results:
    """With everything that counts alone decide."""
    outcomes = {mode.name: outcome_of(ground, counts[mode.name]) for mode in modes}
    seed = ground.seeds[0]
    return replace(
        ground,
        modes={mode.name: _row(mode, outcomes[mode.name], ground) for mode in modes},
        counts=dict(counts),
        paired=_paired(outcomes, seed),
        gap_closed=_gaps(outcomes, seed),
    )


def collect(
    setting: Setting,
    modes: Sequence[Mode],
    units: Sequence[Unit],
    store: Store,
    failures: Mapping[str, str],
    ablations: Sequence[Ablation] = (),
) -> Results:
    """Everything that hangs on the units alone: the same units give the same answer, whoever computed them."""
    done = [unit for unit in units if store.card(unit) is not None]
    drawing = [mode.name for mode in modes if mode.draws]
    trials = [setting.folds[title] for title in dict.fromkeys(unit.place for unit in units if unit.kind == "score")]
    seeds = list(dict.fromkeys(unit.seed for unit in units))
    shown = shown_of(trials)
    begun = ground(setting.config, setting.manifest.labels, list(trainings(shown, seeds)))
    folds = {trial.name: tested(trial) for trial in shown}
    words = ", ".join(filter(None, (begun.protocol, title_of(shown), leak_of(shown[0]))))
    begun = replace(begun, folds=list(folds.values()), protocol=words)
    every = {mode.name: counts_of(mode.name, done, store) for mode in modes}
    counts = {name: counts_in(shown, table, seeds) for name, table in every.items()}
    rows = {one: counts_of(row_of(ABLATED, one.name), done, store) for one in ablations}
    turned = {one: outcome_of(begun, counts_in(shown, table, seeds)) for one, table in rows.items()}
    usual = outcome_of(begun, counts[ABLATED]) if ablations else None
    found = scored(begun, modes, counts)
    return replace(
        found,
        modes={mode.name: _with_release(found.modes[mode.name], mode, setting, done, store) for mode in modes},
        ablations=_turned_together([_turned(one, outcome, usual, begun.seeds) for one, outcome in turned.items()]),
        arms=arms_of(trials, setting.manifest.labels, every, seeds, drawing),
        quality=_quality(done, store),
        quarantined=_quarantined(units, store),
        failures=failed(units, failures),
        pretrained={} if setting.scaling is None else whence(setting.pretrained.card),
    )


def _with_release(row: Row, mode: Mode, setting: Setting, done: Sequence[Unit], store: Store) -> Row:
    """What a mode takes from each site, what it promises of privacy, and what an attack on it found."""
    row = replace(row, attack=_attack([store.read(unit, ATTACK) for unit in done if _audits(unit, mode)]))
    if mode.synthesizer is not None:
        one = synthesizer(mode.synthesizer)
        if promised := one.privacy(one.settings_of(mode.of(setting.config))):
            row = replace(row, epsilon=promised.epsilon, delta=promised.delta)
    return _with_leaving(row, mode, setting)


def _audits(unit: Unit, mode: Mode) -> bool:
    return (unit.kind, unit.subject) == ("audit", mode.name)


def _attack(found: Sequence[Mapping[str, Any]]) -> Attack | None:
    if not found:
        return None
    auc, low, high = (float(np.mean([one[name] for one in found])) for name in ("auc", "low", "high"))
    # Seeds hear the same utterances.
    utterances = sum({one["place"]: int(one["utterances"]) for one in found}.values())
    epsilon, twins = max(one["epsilon"] for one in found), found[0]["twins"]
    verdicts = dict(sorted(Counter(one["word"] for one in found if "word" in one).items()))
    attacks = [one["by_score"] for one in found if len(one.get("by_score", {})) > 1]
    by_score = {name: float(np.mean([one[name] for one in attacks])) for name in (attacks[0] if attacks else {})}
    return Attack(auc, low, high, epsilon, len(found), utterances, twins, verdicts, by_score)


def _with_leaving(row: Row, mode: Mode, setting: Setting) -> Row:
    """What a federated mode takes from each site."""
    config, classes = mode.of(setting.config), setting.config.corpus.classes
    if mode.rounds:
        told = leaving(DENSE.settings_of(config), setting.space, classes, mode.rounds)
        return replace(row, releases=told.releases, bytes=told.bytes)
    if mode.synthesizer is None or mode.where == "fold":
        return row
    one = synthesizer(mode.synthesizer)
    if mode.where == "sum" and one.sums is not None:
        fold = next(iter(setting.folds.values()))
        sites = tuple(sorted(map(site_name, fold.fitted.sessions)))
        round_ = Round(fold.title, sites, one.sums.size(one.settings_of(config), classes))
        return replace(row, releases=1, bytes=round_.sent)
    own, asked = one.settings_of(config), asked_form(config.finetuning.released_as, config.release)
    based = one.is_based(own, classes)
    shapes = shapes_in(form_of(**asked), one.shapes(own, setting.space, classes), based=based)
    size = sum(precision_in(asked["precision"], name).size(shape) for name, shape in shapes.items())
    return replace(row, releases=1, bytes=size)


def whence(card: Card) -> dict[str, Any]:
    """The configuration's own `pretraining` is of networks that `eyesoff pretrain` would make, not of these."""
    made = {name: card["settings"][name] for name in ("seed", PRETRAINING)}
    return {"sha256": card["sha256"], **made, "data": card.get("data", {})}


def tested(fold: Trial) -> Tested:
    """A fold's test part."""
    labels = [utterance.emotion for utterance in fold.test.utterances]
    return Tested(fold.name, list(fold.test.speakers), [labels.count(label) for label in fold.test.labels])


def counts_of(row: str, done: Sequence[Unit], store: Store) -> Counts:
    """What the units of a row counted."""
    table: Counts = {}
    for unit in done:
        if (unit.kind, unit.row) == ("score", row):
            table.setdefault(str(unit.seed), {})[unit.place] = store.read(unit, COUNTS)
    return table


def outcome_of(results: Results, table: Counts, seeds: Sequence[int] | None = None) -> Outcome | None:
    """Of the seeds that are whole: a mean over fewer folds would be of another protocol."""
    folds = [fold.name for fold in results.folds]
    chosen = results.seeds if seeds is None else seeds
    cells = {
        (seed, fold, speaker): Confusion(tuple(results.labels), matrix, noised=results.noised)
        for seed in chosen
        if all(fold in table.get(str(seed), {}) for fold in folds)
        for fold in folds
        for speaker, matrix in table[str(seed)][fold].items()
    }
    return Outcome.of(cells) if cells else None


def _row(mode: Mode, outcome: Outcome | None, results: Results) -> Row:
    stays = "" if mode.augmentation is None else STAYS[mode.augmentation]
    if outcome is None:
        return Row(mode.about, mode.synthesizer, complete=False, whole_seeds=[], stays=stays)
    values, folds = outcome.values("macro_f1"), [fold.name for fold in results.folds]
    return Row(
        mode.about,
        mode.synthesizer,
        complete=list(outcome.seeds) == sorted(results.seeds),
        whole_seeds=list(outcome.seeds),
        macro_f1=outcome.summary("macro_f1", seed=results.seeds[0]),
        uar=outcome.summary("uar", seed=results.seeds[0]),
        accuracy=outcome.summary("accuracy", seed=results.seeds[0]),
        pooled={metric: outcome.pooled(metric) for metric in METRICS},
        confusion=outcome.counts.sum(axis=(0, 1)).tolist(),
        # an outcome has its folds in sorted order
        by_fold={fold: values[:, sorted(folds).index(fold)].tolist() for fold in folds},
        stays=stays,
    )


def _turned(ablation: Ablation, outcome: Outcome | None, usual: Outcome | None, seeds: Sequence[int]) -> Turned:
    pair = None if outcome is None or usual is None else same_seeds([outcome, usual])
    return Turned(
        ablation.setting,
        ablation.usual,
        ablation.other,
        complete=outcome is not None and list(outcome.seeds) == sorted(seeds),
        macro_f1=None if outcome is None else outcome.summary("macro_f1", seed=seeds[0]),
        difference=None if pair is None else Difference(**compared(pair[0], pair[1], "macro_f1", seeds[0])),
    )


def _paired(outcomes: Mapping[str, Outcome | None], seed: int) -> list[Pair]:
    rows = []
    known = {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    for (first, one), (second, other) in combinations(known.items(), 2):
        if pair := same_seeds([one, other]):
            found = {metric: compared(pair[0], pair[1], metric, seed) for metric in METRICS}
            rows += [Pair(first=first, second=second, metric=metric, **told) for metric, told in found.items()]
    families = {metric: corrected([row for row in rows if row.metric == metric]) for metric in METRICS}
    each = {metric: iter(family) for metric, family in families.items()}
    return [next(each[row.metric]) for row in rows]


def _turned_together(rows: Sequence[Turned]) -> list[Turned]:
    """All settings of a comparison are one family."""
    together = iter(corrected([row.difference for row in rows if row.difference is not None]))
    return [row if row.difference is None else replace(row, difference=next(together)) for row in rows]


def _gaps(outcomes: Mapping[str, Outcome | None], seed: int) -> dict[str, Gap | None]:
    """Of every mode between the floor and real speech, where there are both."""
    floor, real = outcomes.get(FLOOR), outcomes.get(REAL)
    if floor is None or real is None:
        return {}
    closed = {}
    for name, outcome in outcomes.items():
        three = None if name in (REAL, FLOOR) or outcome is None else same_seeds([outcome, floor, real])
        if three:
            found = gap_closed(three[0], three[1], three[2], seed=seed)
            closed[name] = None if found is None else Gap(found.value, found.low, found.high, found.n)
    return closed


def _quality(done: Sequence[Unit], store: Store) -> dict[str, Quality]:
    """Mean and deviation over folds, of each fold's mean over seeds; controls stand last."""
    measured: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for unit in done:
        if unit.kind == "quality":
            measured.setdefault(unit.subject, {}).setdefault(unit.place, []).append(store.read(unit, QUALITY))
    order = sorted(measured, key=lambda name: name in (COPYING, NOISE))
    return {name: _measures(list(measured[name].values())) for name in order}


def _measures(by_fold: Sequence[Sequence[Mapping[str, Any]]]) -> Quality:
    found: dict[str, Measured | None] = {}
    for measure in (*MEASURES, *OF_VECTORS):
        told = [[one.get(measure) for one in fold] for fold in by_fold]
        values = [[value for value in fold if value is not None] for fold in told]
        if values != told:
            found[measure] = None
            continue
        means = [float(np.mean(fold)) for fold in values]
        found[measure] = Measured(float(np.mean(means)), float(np.std(means, ddof=1)) if len(means) > 1 else None)
    return Quality(**found, generated=by_fold[0][0]["generated"])


def _quarantined(units: Sequence[Unit], store: Store) -> list[Aside]:
    """Each once, whichever modes and settings would have drawn from it."""
    reasons: dict[tuple[str, int], str] = {}
    for unit in units:
        if unit.kind == "tune" and (reason := store.aside(unit)):
            reasons.setdefault((unit.place, unit.seed), reason)
    return [Aside(session, seed, reason) for (session, seed), reason in reasons.items()]


def failed(units: Sequence[Unit], failures: Mapping[str, str]) -> list[Failed]:
    """Why which unit failed, and the rows that lack something for it."""
    return [
        Failed(str(unit), sorted(_needed_for(unit, units)), unit.place, unit.seed, failures[unit.key])
        for unit in units
        if unit.key in failures
    ]


def _needed_for(unit: Unit, units: Sequence[Unit]) -> set[str]:
    """The rows whose score or quality cannot be had without a unit; `units` has each after those that it needs."""
    lost = {unit.key}
    for other in units:
        if any(need.key in lost for need in other.needs):
            lost.add(other.key)
    return {other.row for other in units if other.key in lost and other.kind in ("score", "quality")}


def seconds_of(units: Sequence[Unit], store: Store, cached: set[str]) -> dict[str, Spent]:
    """What each stage took."""
    stages: dict[str, Spent] = {}
    for kind in KINDS:
        cards = {unit.key: card for unit in units if unit.kind == kind and (card := store.card(unit)) is not None}
        if cards:
            seconds = round(sum(card["seconds"] for card in cards.values()), 1)
            stages[kind] = Spent(seconds, len(cards), len(cached & set(cards)))
    return stages


def environment(config: Config, precisions: Sequence[str]) -> dict[str, str | int | float]:
    """What the numbers were made with; no name of a machine and no path."""
    found = processor()
    return {
        "eyesoff": VERSION,
        **({"commit": told} if (told := commit()) else {}),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "processor": found.seen.split(",")[0],
        "cores": found.figures["cores"],
        "device": str(Acceleration.of(config.runtime).device),
        "precision": ", ".join(precisions),
    }
