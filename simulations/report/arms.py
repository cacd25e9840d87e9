"""The arms of a protocol: a table of them, and a figure of their scores.

Owns which figure fits which arms. Must not know a protocol: arms tell where they stand and what they watch.
"""

from simulations.comparison.modes import REAL
from simulations.comparison.schema import Arm, ArmRow, Results
from simulations.comparison.table import marked
from simulations.report.cells import Cell, Table
from simulations.report.drawing import Drawing
from simulations.report.vectors import Bar, Line, against, imbalance
from simulations.report.wording import NOTHING, interval, percent, probability, score


def arms_table(results: Results) -> Table:
    """Every mode in every arm; whichever are more stand in rows."""
    arms, modes = results.arms, list(results.modes)
    cells = {(arm.name, mode): _cell(arm.modes.get(mode)) for arm in arms for mode in modes}
    names = {mode: marked(results, mode) for mode in modes}
    titles = {arm.name: (arm.name, "made rare" if arm.watched else "") for arm in arms}
    if len(arms) > len(modes):
        headings = (Cell("arm"), *(Cell(name) for name in names.values()))
        rows = tuple((Cell(*titles[arm.name], wide=True), *(cells[arm.name, mode] for mode in modes)) for arm in arms)
    else:
        headings = (Cell("trained on"), *(Cell(*title) for title in titles.values()))
        rows = tuple((Cell(names[mode], wide=True), *(cells[arm.name, mode] for arm in arms)) for mode in modes)
    caption = (
        "UAR, mean over folds, draws and seeds, with its 95 % interval"
        + (", and the recall of the emotion that is rare" if any(arm.watched for arm in arms) else "")
        + ". Beside it the difference from real speech in the same arm; Holm is p corrected for every arm and mode of "
        "this table, and sure means that it and the interval say so at 5 %."
        + " An arm without samples has none: real speech alone is heard there."
        * _some_lack(results)
    )
    return Table(caption, headings if arms else (), rows if arms else ())


def _some_lack(results: Results) -> bool:
    """Whether an arm beside others has nothing to compare, though its real speech was tried."""
    tried = [arm for arm in results.arms if arm.modes.get(REAL) is not None]
    others = [row for arm in tried for mode, row in arm.modes.items() if mode != REAL and row is not None]
    return len({row.difference is None for row in others}) > 1


def _cell(row: ArmRow | None) -> Cell:
    if row is None:
        return Cell("failed")
    notes = [interval(row.uar.low, row.uar.high)]
    if row.recall is not None:
        notes.append(f"recall {percent(row.recall)}")
    if (found := row.difference) is not None:
        sure = ", sure" if found.different else ""
        p = found.p_value if found.holm is None else found.holm
        notes.append(f"{'+' * (found.difference > 0)}{score(found.difference)}, Holm {probability(p)}{sure}")
    return Cell(score(row.uar.mean), "\n".join(notes))


def arms_figure(results: Results) -> Drawing | None:
    """Bars, where arms make emotions rare; lines, where they are amounts; else nothing."""
    if any(arm.watched for arm in results.arms):
        bars = {arm.watched: _bars(arm) for arm in results.arms}
        return imbalance({emotion: found for emotion, found in bars.items() if found})
    if any(arm.point for arm in results.arms):
        return _lines(results)
    return None


def _bars(arm: Arm) -> dict[str, Bar]:
    return {
        mode: Bar(row.uar.mean, row.uar.low, row.uar.high, row.recall or 0.0)
        for mode, row in arm.modes.items()
        if row is not None
    }


def _lines(results: Results) -> Drawing | None:
    reader = str(results.settings.get("methods", {}).get("recognizer", NOTHING))
    panels: dict[str, dict[str, Line]] = {}
    for mode in results.modes:
        if mode != REAL and (lines := _of_mode(results, mode, reader)):
            panels[mode] = lines
    if not panels:
        return None
    points = [arm for arm in results.arms if arm.point]
    most = max(points, key=lambda arm: arm.point.at if arm.point else 0.0)
    whole, across = most.modes.get(REAL), most.point.across if most.point else ""
    names = {name for lines in panels.values() for name in lines}
    return against(panels, across, dict.fromkeys(names, whole.uar.mean) if whole else {})


def _of_mode(results: Results, mode: str, reader: str) -> dict[str, Line]:
    found: dict[str, list[tuple[float, list[float]]]] = {}
    for arm in results.arms:
        row = arm.modes.get(mode)
        if arm.point is not None and row is not None and row.uars:
            found.setdefault(arm.point.line or reader, []).append((arm.point.at, row.uars))
    return {name: _line(points) for name, points in found.items()}


def _line(points: list[tuple[float, list[float]]]) -> Line:
    """Places may have been drawn more or less often."""
    parts = [Line.of([at], [[value] for value in values]) for at, values in points]
    return Line.joined(parts)
