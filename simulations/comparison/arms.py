"""What each arm of a protocol comes to, mode by mode, and which of them are the comparison's own.

Owns the averages over folds, draws and seeds of one arm: each draw of each seed counts as a training of its own. Must
not know a protocol, nor how any of this is shown.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from common.protocols import Trial
from common.scoring import Confusion, Outcome
from simulations.comparison.differences import compared, corrected, same_seeds
from simulations.comparison.modes import REAL
from simulations.comparison.schema import Arm, ArmRow, Counts, Difference, Results

DRAWS = 10_000
"""More than any protocol draws, over all of its arms."""
Draw = tuple[str, int]
"""An arm, and the number of a draw in it."""


def by_arm(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """In the protocol's order."""
    arms: dict[str, list[Trial]] = {}
    for trial in trials:
        arms.setdefault(trial.arm, []).append(trial)
    return arms


def shown_of(trials: Sequence[Trial]) -> list[Trial]:
    """What the comparison's own table is of.

    All arms, where each makes another emotion rare: none of them is the protocol's answer alone. Else the last one,
    which of a curve is its end and is fixed beforehand.
    """
    arms = by_arm(trials)
    return list(trials) if all(trial.watched for trial in trials) else list(arms.values())[-1]


def title_of(shown: Sequence[Trial]) -> str:
    """Of which arms a table is."""
    arms = [name for name in by_arm(shown) if name]
    return f"mean over {', '.join(arms)}" if len(arms) > 1 else "".join(arms)


def trainings(trials: Sequence[Trial], seeds: Iterable[int]) -> dict[int, tuple[int, Draw]]:
    """Number of a training to its seed and draw; a seed itself, where nothing is drawn more than once."""
    draws = list(dict.fromkeys((trial.arm, trial.repeat) for trial in trials))
    if len(draws) == 1:
        return {seed: (seed, draws[0]) for seed in seeds}
    return {DRAWS * seed + number: (seed, draw) for seed in seeds for number, draw in enumerate(draws, start=1)}


def counted(results: Results, numbers: Sequence[int]) -> str:
    """Seeds, and draws where a protocol draws by chance more than once: three draws of a seed are not three seeds."""
    drawn = is_drawn(results)
    seeds = len({number // DRAWS for number in numbers}) if drawn else len(numbers)
    told = f"{seeds} seed{'s' * (seeds != 1)}"
    if not drawn:
        return told
    draws = f"{len(numbers)} draw{'s' * (len(numbers) != 1)}"
    return f"{told}, {draws}" + (" in all" if seeds > 1 else "")


def repeats(results: Results) -> str:
    """What trainings of the same mode and fold are: seeds, or draws where a protocol draws by chance more than once."""
    return "draws" if is_drawn(results) else "seeds"


def is_drawn(results: Results) -> bool:
    """Whether what is stored as seeds are draws: then the first of them is not the configuration's own seed."""
    return bool(results.arms) and results.seeds[0] != results.settings.get("seed")


def counts_in(trials: Sequence[Trial], table: Counts, seeds: Iterable[int]) -> Counts:
    """Those of some arms, by training and by the names of its folds."""
    found: Counts = {}
    for number, (seed, draw) in trainings(trials, seeds).items():
        of_seed = table.get(str(seed), {})
        drawn = (one for one in trials if (one.arm, one.repeat) == draw)
        if own := {one.name: of_seed[one.title] for one in drawn if one.title in of_seed}:
            found[str(number)] = own
    return found


def arms_of(
    trials: Iterable[Trial],
    labels: tuple[str, ...],
    counts: Mapping[str, Counts],
    seeds: Sequence[int],
    drawing: Collection[str] = (),
) -> list[Arm]:
    """All of them; none where the protocol has none. `drawing` are the modes that hear samples, where there are any."""
    return _told_together(
        [
            Arm(name, own[0].watched, _rows(own, labels, counts, seeds, drawing), own[0].point)
            for name, own in by_arm(trials).items()
            if name
        ]
    )


def _rows(
    trials: list[Trial],
    labels: tuple[str, ...],
    counts: Mapping[str, Counts],
    seeds: Sequence[int],
    drawing: Collection[str],
) -> dict[str, ArmRow | None]:
    outcomes = {mode: _outcome(trials, labels, table, seeds) for mode, table in counts.items()}
    # without samples a mode that draws some is real speech once more, and would only make the others' p larger
    alike = {REAL, *drawing} if all(_is_without_samples(trial) for trial in trials) else {REAL}
    real = outcomes.get(REAL)
    return {
        mode: None if one is None else _row(one, labels, trials[0].watched, None if mode in alike else real, seeds[0])
        for mode, one in outcomes.items()
    }


def _is_without_samples(trial: Trial) -> bool:
    return trial.filling is not None and not any(trial.filling.samples.values())


def _outcome(trials: list[Trial], labels: tuple[str, ...], table: Counts, seeds: Sequence[int]) -> Outcome | None:
    """Of the trainings that are whole."""
    folds = {trial.name for trial in trials}
    cells = {
        (int(number), fold, speaker): Confusion(labels, matrix)
        for number, found in counts_in(trials, table, seeds).items()
        if found.keys() == folds
        for fold, speakers in found.items()
        for speaker, matrix in speakers.items()
    }
    return Outcome.of(cells) if cells else None


def _row(outcome: Outcome, labels: tuple[str, ...], watched: str, real: Outcome | None, seed: int) -> ArmRow:
    recall = None
    if watched:
        heard = outcome.counts.sum(axis=(0, 1))[labels.index(watched)]
        recall = float(heard[labels.index(watched)] / heard.sum())
    pair = None if real is None else same_seeds([outcome, real])
    return ArmRow(
        outcome.summary("macro_f1", seed=seed),
        outcome.summary("uar", seed=seed),
        recall,
        outcome.values("uar").mean(axis=1).tolist(),
        Difference(**compared(pair[0], pair[1], "uar", seed)) if pair else None,
    )


def _told_together(arms: list[Arm]) -> list[Arm]:
    """With Holm's correction over every arm and mode."""
    places = [(arm.name, mode, row.difference) for arm in arms for mode, row in arm.modes.items() if row]
    told = [(name, mode, found) for name, mode, found in places if found is not None]
    family = dict(zip([place[:2] for place in told], corrected([place[2] for place in told]), strict=True))

    def mended(arm: Arm, mode: str, row: ArmRow | None) -> ArmRow | None:
        found = family.get((arm.name, mode))
        return row if row is None or found is None else replace(row, difference=found)

    return [replace(arm, modes={mode: mended(arm, mode, row) for mode, row in arm.modes.items()}) for arm in arms]
