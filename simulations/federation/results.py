"""What a simulation found: the federated scores, the real ones beside them, and their table.

Owns the results file of a run. Must not know how a score is defined (`common.scoring`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from common.config import Config
from common.files import atomic_json
from common.scoring import AVERAGED_OVER, METRICS, Confusion, Outcome

RESULTS = "results.json"
SCHEMA = 1


def outcome_of(labels: tuple[str, ...], folds: Mapping[str, list[Any]], seed: int) -> Outcome:
    """Confusions by fold and nameless speaker as one mode's outcome."""
    return Outcome.of(
        {
            (seed, fold, f"{fold}#{number}"): Confusion(labels, matrix, noised=True)
            for fold, matrices in folds.items()
            for number, matrix in enumerate(matrices)
        }
    )


def confusions_by_fold(campaign: Mapping[str, Any]) -> dict[str, list[Any]]:
    """A campaign's answers, without saying which site gave which."""
    return {fold["name"]: [one for counts in fold["counts"].values() for one in counts] for fold in campaign["folds"]}


def write_results(
    run: Path, config: Config, modes: Mapping[str, Mapping[str, list[Any]]], campaign: Any
) -> dict[str, Any]:
    """Every mode's scores with interval and n, on the folds that all of them have, and what failed.

    A mean over fewer folds would be of another protocol than its neighbour's.
    """
    labels = config.corpus.emotions
    scored = {name: folds for name, folds in modes.items() if any(folds.values())}
    common = [fold for fold in set().union(*scored.values()) if all(folds.get(fold) for folds in scored.values())]
    outcomes = {
        name: outcome_of(labels, {fold: folds[fold] for fold in folds if fold in common}, config.seed)
        for name, folds in scored.items()
        if common
    }
    results = {
        "schema": SCHEMA,
        "corpus": config.corpus.name,
        "preset": config.name,
        "identity": config.identity_hash(),
        "averaged_over": AVERAGED_OVER,
        "tested_on": _tested_on(config, campaign["folds"], len(common), len(set().union(*modes.values()))),
        "modes": {
            name: {metric: asdict(outcome.summary(metric, seed=config.seed)) for metric in METRICS}
            for name, outcome in outcomes.items()
        },
        "counts": {name: dict(folds) for name, folds in modes.items()},
        "quarantined": campaign["quarantined"],
        "failures": campaign["failures"],
    }
    atomic_json(run / RESULTS, results)
    return results


def _tested_on(config: Config, folds: Sequence[Mapping[str, Any]], scored: int, known: int) -> str:
    """In words, of whom the scores are, and of how many of the folds that any mode knows."""
    if any(set(fold["train"]) & set(fold["test"]) for fold in folds):
        return "the very speakers that were trained on, so no test"
    missing = f", {scored} of {known} folds" if scored < known else ""
    protocol = config.methods.protocol.replace("-", " ")
    return f"{protocol}{missing}{_noise_in(folds)}"


def _noise_in(folds: Sequence[Mapping[str, Any]]) -> str:
    """Whether the counts are those of the recordings; a site's policy may have them carry noise, and then scores do."""
    noise = {epsilon for fold in folds for epsilon in fold["noise"].values() if epsilon is not None}
    return f"; counts with the sites' noise, epsilon {', '.join(f'{one:g}' for one in sorted(noise))}" if noise else ""


def aside_lines(results: Mapping[str, Any]) -> list[str]:
    """What was not trained on, and why: a line each."""
    return [f"{one['session']} is put aside: {one['reason']}" for one in results["quarantined"]]


def table_of(results: Mapping[str, Any]) -> Table:
    """Modes by metrics, each with its 95 % interval."""
    title = f"{results['corpus']}, preset {results['preset']}: {results['tested_on']}"
    table = Table(title=title, title_justify="left")
    for heading in ("trained on", "macro F1 (95 % interval)", "UAR (95 % interval)", "n"):
        table.add_column(heading)
    for name, scores in results["modes"].items():
        cells = (f"{s['mean']:.2f} ({s['low']:.2f} to {s['high']:.2f})" for s in (scores["macro_f1"], scores["uar"]))
        table.add_row(name, *cells, str(scores["macro_f1"]["n"]))
    return table
