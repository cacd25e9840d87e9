"""What each arm of a protocol comes to, mode by mode, and which of them is the comparison's own.

Owns the averages over folds, draws and seeds of one arm: each draw of each seed counts as a training of its own. Must
not know a protocol, nor how any of this is shown.
"""

from collections.abc import Iterable, Mapping, Sequence

from common.protocols import Trial
from common.scoring import Confusion, Outcome
from simulations.comparison.schema import Arm, ArmRow, Counts

DRAWS = 1000
"""More than any protocol draws."""


def by_arm(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """In the protocol's order."""
    arms: dict[str, list[Trial]] = {}
    for trial in trials:
        arms.setdefault(trial.arm, []).append(trial)
    return arms


def trainings(trials: Sequence[Trial], seeds: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Number of a training to its seed and draw; a seed itself, where nothing is drawn more than once."""
    draws = sorted({trial.repeat for trial in trials})
    if len(draws) == 1:
        return {seed: (seed, draws[0]) for seed in seeds}
    return {DRAWS * seed + draw: (seed, draw) for seed in seeds for draw in draws}


def counts_in(trials: Sequence[Trial], table: Counts, seeds: Iterable[int]) -> Counts:
    """Those of one arm, by training and by the names of its folds."""
    found: Counts = {}
    for number, (seed, draw) in trainings(trials, seeds).items():
        of_seed = table.get(str(seed), {})
        own = {one.name: of_seed[one.title] for one in trials if one.repeat == draw and one.title in of_seed}
        if own:
            found[str(number)] = own
    return found


def arms_of(
    trials: Iterable[Trial], labels: tuple[str, ...], counts: Mapping[str, Counts], seeds: Sequence[int]
) -> list[Arm]:
    """All of them; none where the protocol has none."""
    return [
        Arm(name, own[0].watched, {mode: _row(own, labels, table, seeds) for mode, table in counts.items()})
        for name, own in by_arm(trials).items()
        if name
    ]


def _row(trials: list[Trial], labels: tuple[str, ...], table: Counts, seeds: Sequence[int]) -> ArmRow | None:
    """Of the trainings that are whole."""
    folds = {trial.name for trial in trials}
    cells = {
        (int(number), fold, speaker): Confusion(labels, matrix)
        for number, found in counts_in(trials, table, seeds).items()
        if found.keys() == folds
        for fold, speakers in found.items()
        for speaker, matrix in speakers.items()
    }
    if not cells:
        return None
    outcome, watched = Outcome.of(cells), trials[0].watched
    recall = None
    if watched:
        heard = outcome.counts.sum(axis=(0, 1))[labels.index(watched)]
        recall = float(heard[labels.index(watched)] / heard.sum())
    return ArmRow(outcome.summary("macro_f1", seed=seeds[0]), outcome.summary("uar", seed=seeds[0]), recall)
