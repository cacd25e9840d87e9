"""How a run went, as a picture of curves.

Owns reading the rows that `JsonLines` wrote and drawing them. Must not know what a metric means.
"""

import io
import json
from pathlib import Path
from typing import Any

from common.files import atomic_write

Row = dict[str, Any]


def read_rows(path: Path) -> list[Row]:
    """The records of a run, in the order in which they were written."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def save_curves(path: Path, rows: list[Row]) -> None:
    """A PNG with a row of panels a stage, a panel a metric."""
    # Drawing costs a second of start-up, which only a finished run should pay.
    from matplotlib.figure import Figure

    metrics = {
        stage: list(dict.fromkeys(name for row in rows if row["stage"] == stage for name in row))[2:]
        for stage in dict.fromkeys(row["stage"] for row in rows)
    }
    columns = max((len(names) for names in metrics.values()), default=1)
    figure = Figure(figsize=(3.2 * columns, 2.4 * max(len(metrics), 1)), layout="constrained")
    panels = figure.subplots(max(len(metrics), 1), columns, squeeze=False)
    for line, (stage, names) in zip(panels, metrics.items(), strict=False):
        for panel, name in zip(line, names, strict=False):
            points = [(row["step"], row[name]) for row in rows if row["stage"] == stage and name in row]
            panel.plot(*zip(*points, strict=True), linewidth=0.8)
            panel.set_title(f"{stage}: {name}", fontsize=8)
            panel.tick_params(labelsize=7)
    for panel in (panel for line in panels for panel in line if not panel.has_data()):
        panel.set_axis_off()
    content = io.BytesIO()
    figure.savefig(content, format="png")
    atomic_write(path, content.getvalue())
