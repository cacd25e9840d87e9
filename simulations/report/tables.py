"""The tables of the report, from results to cells.

Owns their columns and headings. Must not know how a table looks.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from common.config import Config
from common.config.added import section_kinds
from common.config.showing import spell
from common.scoring import Metric, Score, Summary
from common.settings import MethodsConfig
from common.training.reporters import duration
from simulations.comparison.arms import counted, is_drawn, repeats
from simulations.comparison.measures import OF_VECTORS
from simulations.comparison.modes import ABLATED, REAL
from simulations.comparison.results import MEASURES
from simulations.comparison.schema import Difference, Measured, Pair, Results, Spent
from simulations.comparison.table import marked, stays_lines
from simulations.comparison.units import COPYING, NOISE
from simulations.report.cells import Cell, Table
from simulations.report.published import ESKIMEZ, is_the_papers, number_for, printed_for
from simulations.report.wording import (
    AS_SEEDS,
    NOTHING,
    interval,
    many,
    measure,
    megabytes,
    percent,
    percents,
    probability,
    score,
)

STAGES = {
    "tune": "tune a generator behind a client's door",
    "fit": "fit a synthesizer to a fold's training sessions",
    "sum": "add up what a fold's training sessions bring",
    "train": "draw samples and train a recognizer",
    "score": "score it on what the fold leaves out",
    "quality": "measure samples beside real speech",
    "twin": "fit a synthesizer to half of a place's speech",
    "audit": "attack what a mode releases",
}
HOLM = (
    "Among many pairs one or other p is small by chance: Holm is p corrected for all pairs of its column. Sure "
    "means that the interval and Holm both say so at 5 %. Fewer than six pairs are never sure."
)
WITHOUT_HOLM = "Sure means that both say so at 5 %. Fewer than six pairs are never sure."
"""Of results that were written before the correction."""
CONTROLS = {COPYING: "control: the real examples themselves", NOISE: "control: noise"}
OF_VECTORS_TOLD = {
    "spread": (
        "spread",
        "1 is best",
        "Spread is what samples of an emotion deviate by, over what real ones do: 1 is "
        "best, near 0 they are all alike.",
    ),
    "mmd": (
        "MMD",
        "lower is better",
        "MMD is how far the law of each number lies from the real one, mean over "
        "numbers: lower is better. The floor is what as many other real vectors get; only copies lie below it.",
    ),
    "mmd_floor": ("floor", "of MMD", ""),
    "metric_1_set_1": (
        "metric 1",
        "set 1, UAR",
        "Metric 1 trains a linear machine on real vectors and tries it on "
        "samples: higher is better, but samples that are all alike can reach the highest.",
    ),
    "metric_1_set_2": ("metric 1", "set 2, UAR", ""),
    "metric_2_set_1": (
        "metric 2",
        "set 1, UAR",
        "Metric 2 trains it on samples and tries it on real vectors: higher "
        "is better. Set 1 is what the synthesizer was fitted to, set 2 what it never saw.",
    ),
    "metric_2_set_2": ("metric 2", "set 2, UAR", ""),
    "metric_3": (
        "metric 3",
        "lower is better",
        "Metric 3 is a Frechet distance in what a small network makes of vectors: lower is better.",
    ),
    "nearness": (
        "nearest",
        "higher is better",
        "Nearest is the distance to the nearest vector of the training part "
        "over that to the nearest unseen one, from as many of each: 1 is best, and what lies near the copying control "
        "may have remembered. It certifies nothing.",
    ),
}
"""Heading, its note, and one sentence with the direction that is good."""


def results_table(results: Results, shares: Mapping[str, Score]) -> Table:
    """Every mode beside the paper's number."""
    printed = printed_for(results.preset)
    beside = any(papers_number(results, name) for name in results.modes)
    headings = ("trained on", "macro F1", "UAR", "accuracy", "of real", "gap closed", "n", printed.heading)
    notes = ("", "95 %", "95 %", "95 %", "95 %", "95 %", "utterances", printed.about)
    width = len(headings) if beside else len(headings) - 1
    rows = tuple(_mode_row(results, name, shares.get(name))[:width] for name in results.modes)
    caption = (
        "Means over folds and seeds. Macro F1 is the unweighted mean of F1, UAR of recall, over the emotions that a "
        "fold's test speech holds; accuracy counts utterances. Intervals are bootstrapped over speakers and seeds; ± "
        "is the sample deviation."
    )
    papers = (
        f"The last column is {printed.paper}, of other speech, and stands beside the protocol "
        f"{printed.protocol.replace('-', ' ')} alone: compare ratios only. {printed.remark}"
    )
    caption = " ".join(
        [caption, *[AS_SEEDS] * is_drawn(results), *[papers] * beside, *(f"{line}." for line in stays_lines(results))]
    )
    return Table(caption, tuple(map(Cell, headings, notes))[:width], rows)


def papers_number(results: Results, mode: str) -> str | None:
    """What the preset's paper printed for a mode; nothing of the first paper's beside another synthesizer."""
    if printed_for(results.preset) is ESKIMEZ and not is_the_papers(results):
        return None
    protocol = str(results.settings.get("methods", {}).get("protocol", MethodsConfig().protocol))
    return number_for(results.preset, protocol, mode)


def _mode_row(results: Results, name: str, share: Score | None) -> tuple[Cell, ...]:
    mode = results.modes[name]
    about, last = mode.about, Cell(papers_number(results, name) or NOTHING)
    found = mode.macro_f1
    if found is None:
        return (
            Cell(marked(results, name), about, wide=True),
            Cell("failed", reason_of(results, name), wide=True),
            *[Cell(NOTHING)] * 5,
            last,
        )
    tried = f"{found.seeds} of {len(results.seeds)} {repeats(results)}"
    whole = "" if mode.complete else f"{tried}: {reason_of(results, name)}"
    closed = results.gap_closed.get(name)
    taken = (
        "" if mode.releases is None else f"{many(mode.releases, 'release')} of each site, {megabytes(mode.bytes or 0)}"
    )
    return (
        Cell(marked(results, name), "\n".join(filter(None, (about, taken, whole))), wide=True),
        Cell(score(found.mean), f"{interval(found.low, found.high)}\n{_deviations(found, repeats(results))}".strip()),
        *(Cell(score(one.mean), interval(one.low, one.high)) for one in (mode.uar, mode.accuracy) if one),
        _share(share.value, share.low, share.high) if share else Cell("100 %" if name == REAL else NOTHING),
        _share(closed.value, closed.low, closed.high) if closed else Cell(NOTHING),
        Cell(str(found.n)),
        last,
    )


def _share(value: float, low: float, high: float) -> Cell:
    return Cell(percent(value), percents(low, high))


def _deviations(found: Summary, repeated: str) -> str:
    """Those that there are."""
    named = {"folds": found.std_over_folds, repeated: found.std_over_seeds}
    return "\n".join(f"± {score(value)} {name}" for name, value in named.items() if value is not None)


def reason_of(results: Results, mode: str) -> str:
    """Why a mode has no score, or not of every seed."""
    reasons = (failure.reason for failure in results.failures if mode in failure.modes)
    return next(reasons, "a unit is missing")


def folds_table(results: Results) -> Table:
    """Each fold's macro F1, mean over seeds or draws."""
    headings = [Cell("fold"), Cell("speakers", wide=True), Cell("n", "utterances")]
    scored = {name: mode.by_fold for name, mode in results.modes.items() if mode.by_fold}
    rows = []
    for fold in results.folds:
        values = [by_fold[fold.name] for by_fold in scored.values()]
        cells = [Cell(score(sum(one) / len(one))) for one in values]
        about = [Cell(fold.name), Cell(", ".join(fold.speakers), wide=True), Cell(str(sum(fold.utterances)))]
        rows.append((*about, *cells))
    caption = f"Macro F1 of each fold on the speech that it leaves out, mean over its {repeats(results)}."
    modes = [Cell(name, counted(results, results.modes[name].whole_seeds)) for name in scored]
    return Table(caption, (*headings, *modes), tuple(rows))


def pairs_table(results: Results) -> Table:
    """A row a pair, a column a metric."""
    metrics: dict[Metric, str] = {"macro_f1": "macro F1", "uar": "UAR", "accuracy": "accuracy"}
    pairs: dict[tuple[str, str], dict[Metric, Pair]] = {}
    for row in results.paired:
        pairs.setdefault((row.first, row.second), {})[row.metric] = row
    rows = tuple(
        (
            Cell(f"{first} − {second}"),
            *(difference_cell(found[metric]) for metric in metrics),
            Cell(str(found["macro_f1"].pairs)),
        )
        for (first, second), found in pairs.items()
    )
    caption = (
        "Differences on the same folds and seeds, with 95 % intervals. The interval speaks of other speakers, p of "
        "another training (the signs of the pairs are flipped). "
    ) + (HOLM if any(row.holm is not None for row in results.paired) else WITHOUT_HOLM)
    headings = (Cell("first − second"), *map(Cell, metrics.values()), Cell("n", f"folds × {repeats(results)}"))
    return Table(caption, headings, rows)


def difference_cell(row: Difference) -> Cell:
    """Its interval and both p in small type."""
    sure = ", sure" if row.different else ""
    told = f"p {probability(row.p_value)}"
    if row.holm is not None and row.holm != row.p_value:
        told += f"\nHolm {probability(row.holm)}"
    return Cell(score(row.difference), f"{interval(row.low, row.high)}\n{told}{sure}")


def ablations_table(results: Results) -> Table:
    """The federated mode with one setting at another value, a row each."""
    headings = (
        Cell("setting"),
        Cell("configured", "macro F1"),
        Cell("instead", "macro F1"),
        Cell("difference", "95 %"),
        Cell("n", "folds × seeds"),
    )
    usual = results.modes[ABLATED].macro_f1 if ABLATED in results.modes else None
    rows = tuple(
        (
            Cell(one.setting, wide=True),
            Cell(spell(one.usual), score(usual.mean) if usual else NOTHING),
            Cell(spell(one.other), score(one.macro_f1.mean) if one.macro_f1 else "failed"),
            difference_cell(one.difference) if one.difference else Cell(NOTHING),
            Cell(str(one.difference.pairs) if one.difference else NOTHING),
        )
        for one in results.ablations
    )
    caption = (
        "Federated training with one setting at another value, all else as configured. The difference is instead minus "
        "configured, on the same folds and seeds; it is to be read as that of a pair of modes, Holm over the settings."
    )
    return Table(caption, headings, rows)


def quality_table(results: Results) -> Table:
    """Measures of samples, controls last."""
    of_vectors = any(found.spread is not None for found in results.quality.values())
    headings = (
        Cell("samples of"),
        Cell("Frechet", "lower is closer"),
        Cell("kernel", "lower is closer"),
        Cell("density", "higher is denser"),
        Cell("coverage", "1 covers all"),
        Cell("recognized", "macro F1"),
        Cell("n", "samples a fold"),
    )
    rows = tuple(
        (*_about(name), *(_measured(getattr(found, one)) for one in MEASURES), Cell(str(found.generated)))
        for name, found in results.quality.items()
    )
    where = (
        "along the 64 directions in which real vectors of the training part vary most, to those vectors"
        if of_vectors
        else "in the frozen pre-trained encoder's space, to the real patches that the synthesizer was fitted to"
    )
    caption = (
        f"Means over folds, ± sample deviation over folds where there are several. Distances are {where}. "
        "Recognized is the score "
        "of the real mode's recognizer on samples and the emotions that they were asked for. The controls say what a "
        "generator that copies its data and one that makes noise would get: no measure here rewards privacy."
    )
    return Table(caption, headings, rows)


def vector_quality_table(results: Results) -> Table:
    """Measures that there are of vectors alone; no row where samples are patches."""
    rows = tuple(
        (*_about(name), *(_measured(getattr(found, one)) for one in OF_VECTORS))
        for name, found in results.quality.items()
        if found.spread is not None
    )
    headings = (Cell("samples of"), *(Cell(*OF_VECTORS_TOLD[one][:2]) for one in OF_VECTORS))
    told = " ".join(dict.fromkeys(sentence for _, _, sentence in OF_VECTORS_TOLD.values() if sentence))
    return Table(f"Means over folds of vectors in which each number deviates by 1. {told}", headings, rows)


def _about(name: str) -> tuple[Cell]:
    return (Cell(name, CONTROLS.get(name, ""), wide=True),)


def _measured(found: Measured | None) -> Cell:
    if found is None:
        return Cell(NOTHING)
    deviation = found.std_over_folds
    return Cell(measure(found.mean), "" if deviation is None else f"± {measure(deviation)}")


def cost_table(results: Results) -> Table:
    """Processor time by stage."""
    headings = (
        Cell("stage"),
        Cell("units"),
        Cell("new", "in the last command"),
        Cell("processor time"),
        Cell("a unit"),
    )
    rows = [
        (
            Cell(kind, STAGES[kind], wide=True),
            Cell(str(spent.units)),
            Cell(str(spent.units - spent.cached)),
            Cell(duration(spent.seconds)),
            Cell(f"{spent.seconds / spent.units:,.1f} s"),
        )
        for kind, spent in _stages(results)
    ]
    units = sum(spent.units for _, spent in _stages(results))
    seconds = sum(spent.seconds for _, spent in _stages(results))
    rows.append((Cell("all"), Cell(str(units)), Cell(""), Cell(duration(seconds)), Cell("")))
    caption = (
        "Hours, minutes and seconds of processor, as measured when each unit was computed. "
        f"The last command itself took {duration(results.wall)} by the clock."
    )
    return Table(caption, headings, tuple(rows))


def _stages(results: Results) -> list[tuple[str, Spent]]:
    return [(kind, results.seconds[kind]) for kind in STAGES if kind in results.seconds]


def quarantined_table(results: Results) -> Table:
    """Which clients' generators were not drawn from, and why."""
    rows = tuple((Cell(one.session), Cell(str(one.seed)), Cell(one.reason, wide=True)) for one in results.quarantined)
    caption = "Samples of every client's generator are looked at before a recognizer is trained on any."
    return Table(caption, (Cell("session"), Cell("seed"), Cell("reason", wide=True)), rows)


def failures_table(results: Results) -> Table:
    """What failed, what it was needed for, and why."""
    headings = ("unit", "needed for", "fold or session", "seed", "reason")
    rows = tuple(
        (
            Cell(failure.unit, wide=True),
            Cell(", ".join(failure.modes), wide=True),
            Cell(failure.fold),
            Cell(str(failure.seed)),
            Cell(failure.reason, wide=True),
        )
        for failure in results.failures
    )
    return Table("Everything else was computed; the same command tries these again.", tuple(map(Cell, headings)), rows)


def made_with(results: Results) -> str:
    """What stands before a run's command: one that has settings which are gone was made with an older version."""
    stored = {name.partition(":")[0] for name, _ in settings(results.settings)}
    return "Made with" if stored <= _known() else "Made with an older version, by"


def _known() -> set[str]:
    """All settings that there are, those of methods' own sections too."""
    brought = (name for section, kind in section_kinds().items() for name in _names(kind(), f"{section}."))
    return {*_names(Config()), *brought}


def _names(section: BaseModel, above: str = "") -> Iterator[str]:
    """Of all settings, those too that are told only where they are not as usual."""
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            yield from _names(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def settings(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """Each setting by its dotted name.

    A list of lists, such as the rows that a comparison adds, has a line for each, named by its first word.

    >>> list(settings({"network": {"width": 0.125}, "rows": [["half", "federated"]], "seed": 0}))
    [('network.width', '0.125'), ('rows: half', 'federated'), ('seed', '0')]
    """
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from settings(value, f"{above}{name}.")
        elif value and isinstance(value, Sequence) and all(isinstance(one, list | tuple) for one in value):
            yield from ((f"{above}{name}: {first}", _spelled(others)) for first, *others in value)
        else:
            yield f"{above}{name}", _spelled(value)


def _spelled(value: object) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_spelled, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
