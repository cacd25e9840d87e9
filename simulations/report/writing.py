"""From a stored run to the files of its report.

Owns where they lie. Must not know what is in them.
"""

from pathlib import Path

from common.files import atomic_write
from simulations.comparison.modes import REAL
from simulations.comparison.schema import read_results
from simulations.report.evidence import Evidence
from simulations.report.page import build

REPORT, FIGURES = "report.html", "figures"


def write_report(run: Path) -> Path:
    """Build it anew beside the results, by the run's folder or `results.json`; the answer is the page."""
    results = read_results(run)
    folder = run if run.is_dir() else run.parent
    report = build(results, Evidence.read(folder, [*results.modes, REAL]))
    for stale in (folder / FIGURES).glob("*.png"):
        stale.unlink()
    for drawing in report.figures:
        atomic_write(folder / FIGURES / f"{drawing.name}.png", drawing.png)
    atomic_write(folder / REPORT, report.page.encode())
    return folder / REPORT
