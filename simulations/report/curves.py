"""Figures of training: every quantity that was written down, by step.

Owns their layout. Must not know what is good or bad.
"""

from collections.abc import Iterator, Sequence

from simulations.report.drawing import WIDTH, Drawing, canvas, finish
from simulations.report.evidence import Curve
from simulations.report.palette import of_mode
from simulations.report.wording import measure

PANEL = 140.0
"""Points that a panel has in height."""
NO_METRIC = ("stage", "step")
Line = tuple[list[int], list[float]]


def training(curves: Sequence[Curve]) -> Iterator[tuple[str, Drawing]]:
    """A figure for each stage of training, named; a panel a quantity, a line a mode."""
    subjects = list(dict.fromkeys(curve.subject for curve in curves))
    for stage, panels in by_stage(curves).items():
        yield stage, _figure(stage, panels, subjects)


def by_stage(curves: Sequence[Curve]) -> dict[str, dict[str, dict[str, Line]]]:
    """Stage to quantity to subject to its line."""
    stages: dict[str, dict[str, dict[str, Line]]] = {}
    for curve in curves:
        for row in curve.rows:
            for metric in row:
                if metric in NO_METRIC:
                    continue
                panel = stages.setdefault(row["stage"], {}).setdefault(metric, {})
                steps, values = panel.setdefault(curve.subject, ([], []))
                steps.append(row["step"])
                values.append(row[metric])
    return stages


def _figure(stage: str, panels: dict[str, dict[str, Line]], subjects: Sequence[str]) -> Drawing:
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    with canvas(PANEL * lines + 44, width=WIDTH) as figure:
        grid = figure.subplots(lines, columns, squeeze=False).ravel()
        told = []
        for cell, (metric, by_subject) in zip(grid, panels.items(), strict=False):
            cell.set_title(metric.replace("/", ": ").replace("_", " "))
            for subject, (steps, values) in by_subject.items():
                cell.plot(steps, values, color=of_mode(subject, subjects), linewidth=1.4, label=subject)
                told.append(f"{subject}, {metric}: from {measure(values[0])} to {measure(values[-1])}")
            cell.grid(axis="y")
            cell.xaxis.get_major_locator().set_params(integer=True, nbins=4)
            cell.tick_params(length=0)
        for cell in grid[len(panels) :]:
            cell.set_axis_off()
        for cell in grid[len(panels) - columns : len(panels)]:
            cell.set_xlabel("step")
        names = dict(zip(*reversed(grid[0].get_legend_handles_labels()), strict=True))
        figure.legend(names.values(), names.keys(), loc="outside upper left", ncols=min(4, len(names)))
        return finish(figure, f"training-{stage}", f"Curves of the stage {stage}. {'; '.join(told)}.")
