"""From a stored run to the files of its report.

Owns where they lie. Must not know what is in them.
"""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from common.files import atomic_write
from simulations.comparison.modes import REAL
from simulations.comparison.schema import read_results
from simulations.report.cells import Table
from simulations.report.evidence import Evidence
from simulations.report.page import build

REPORT, FIGURES, TABLES = "report.html", "figures", "tables"


def as_csv(table: Table) -> str:
    """A row a row; what qualifies a value has a column of its own, where there is any."""
    noted = [any(row[place].note for row in table.rows) for place in range(len(table.headings))]
    content = io.StringIO()
    writer = csv.writer(content, lineterminator="\n")
    names = [" ".join(filter(None, (one.value, one.note and f"({one.note})"))) for one in table.headings]
    writer.writerow(_spread([(name, f"{name}: notes") for name in names], noted))
    for row in table.rows:
        writer.writerow(_spread([(cell.value, " | ".join(cell.note.splitlines())) for cell in row], noted))
    return content.getvalue()


def _spread(cells: Sequence[tuple[str, str]], noted: Sequence[bool]) -> list[str]:
    return [word for cell, both in zip(cells, noted, strict=True) for word in cell[: 1 + both]]


def write_report(run: Path) -> Path:
    """Build it anew beside the results, by the run's folder or `results.json`; the answer is the page."""
    results = read_results(run)
    folder = run if run.is_dir() else run.parent
    report = build(results, Evidence.read(folder, [*results.modes, REAL]))
    for place, kind in ((FIGURES, "png"), (FIGURES, "svg"), (TABLES, "csv")):
        for stale in (folder / place).glob(f"*.{kind}"):
            stale.unlink()
    for drawing in report.figures:
        atomic_write(folder / FIGURES / f"{drawing.name}.png", drawing.png)
        atomic_write(folder / FIGURES / f"{drawing.name}.svg", drawing.file.encode())
    for name, table in report.tables.items():
        atomic_write(folder / TABLES / f"{name}.csv", as_csv(table).encode())
    atomic_write(folder / REPORT, report.page.encode())
    return folder / REPORT
