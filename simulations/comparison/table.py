"""Results as a table on the screen.

Owns its columns. Must not know where the numbers come from.
"""

from collections.abc import Iterator

from rich.table import Table

from common.config.showing import spell
from simulations.comparison.arms import counted, repeats
from simulations.comparison.modes import ABLATED, STAYS_MARK
from simulations.comparison.schema import NO_TEST, ArmRow, Results
from simulations.comparison.units import row_of


def table_of(results: Results) -> Table:
    """Modes by metrics, with deviations, intervals and how much of the gap each closes; what failed stands as such."""
    trained, repeated = len(results.seeds), repeats(results)
    tried = f"{len(results.folds)} fold(s), {counted(results, results.seeds)}"
    title = f"{results.corpus}, preset {results.preset}: {results.protocol}; {tried}"
    caption = f"± folds, ± {repeated}: deviations; n: utterances; gap: how much of the way from floor to real is closed"
    caption = "\n".join([caption, *stays_lines(results), *leaving_lines(results)])
    table = Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    table.add_column("trained on")
    table.add_column("macro F1", no_wrap=True)
    table.add_column("95 %", min_width=12)
    for heading in ("± folds", f"± {repeated}", "UAR", "gap", "n"):
        table.add_column(heading, no_wrap=True)
    failed = {mode: failure.reason for failure in results.failures for mode in failure.modes}
    for name, mode in results.modes.items():
        score = mode.macro_f1
        if score is None:
            table.add_row(marked(results, name), "failed", failed.get(name, "a unit is missing"))
            continue
        closed = results.gap_closed.get(name)
        note = "" if mode.complete else f"; {score.seeds} of {trained} {repeated}, for {failed.get(name, '')}"
        table.add_row(
            marked(results, name),
            f"{score.mean:.3f}",
            f"{score.low:.2f} to {score.high:.2f}{note}",
            _number(score.std_over_folds),
            _number(score.std_over_seeds),
            _number(mode.uar.mean if mode.uar else None),
            f"{closed.value:.0%}" if closed else "",
            str(score.n),
        )
    return table


def marked(results: Results, mode: str) -> str:
    """A mode's name: with a dagger where its samples cannot leave their place, and whether its score is no test."""
    name = mode + STAYS_MARK if results.modes[mode].stays else mode
    return f"{name} (no test: its own training speakers)" if results.protocol == NO_TEST else name


def stays_lines(results: Results) -> Iterator[str]:
    """Why those with a dagger are centralized, each reason once."""
    for told in dict.fromkeys(mode.stays for mode in results.modes.values() if mode.stays):
        yield f"† {told}"


def leaving_lines(results: Results) -> Iterator[str]:
    """What each site releases for a row, where one of them takes several releases."""
    told = {name: row for name, row in results.modes.items() if row.releases is not None and row.bytes is not None}
    if max((row.releases or 0 for row in told.values()), default=0) > 1:
        parts = (f"{name} {row.releases} of {(row.bytes or 0) / 1e6:.2f} MB in all" for name, row in told.items())
        yield f"releases of each site: {'; '.join(parts)}"


def tables_of(results: Results) -> Iterator[Table]:
    """All that a comparison shows on the screen."""
    yield table_of(results)
    for more in (arms_table(results), quality_of(results), privacy_of(results)):
        if more is not None:
            yield more


def quality_of(results: Results) -> Table | None:
    """The shortest of what is measured of vectors; nothing where samples are patches."""
    of_vectors = {name: found for name, found in results.quality.items() if found.spread is not None}
    if not of_vectors:
        return None
    told = "spread, nearest: 1 is best; MMD: 1 is as real speech, lower is better; metric 2: UAR, higher is better"
    table = Table(title="quality of samples", title_justify="left", caption=told, caption_justify="left")
    for heading in ("samples of", "spread", "MMD / floor", "metric 2", "nearest"):
        table.add_column(heading)
    for name, found in of_vectors.items():
        over = found.mmd.mean / found.mmd_floor.mean if found.mmd and found.mmd_floor else None
        means = [one.mean if one else None for one in (found.spread, found.metric_2_set_2, found.nearness)]
        table.add_row(name, *map(_short, (means[0], over, *means[1:])))
    return table


def privacy_of(results: Results) -> Table | None:
    """What each row promises, and how well it is told who was in the speech; nothing where nobody attacked."""
    attacked = {name: row for name, row in results.modes.items() if row.attack is not None}
    if not attacked:
        return None
    told = (
        "attack: pairs told right, of one utterance that was in and one that was not; half is chance; "
        "audits: their verdicts, a site and seed each; bytes: a site's"
    )
    table = Table(title="privacy", title_justify="left", caption=told, caption_justify="left")
    table.add_column("released by")
    for heading in ("attack", "90 %", "audits", "epsilon", "releases", "bytes"):
        table.add_column(heading, no_wrap=heading != "audits")
    for name, row in attacked.items():
        if found := row.attack:
            promise = "none" if row.epsilon is None else f"{row.epsilon:g}"
            numbers = [promise, *("" if one is None else f"{one:,}" for one in (row.releases, row.bytes))]
            bounds = f"{found.low:.2f} to {found.high:.2f}"
            table.add_row(name, f"{found.auc:.3f}", bounds, found.words, *numbers)
    return table


def arms_table(results: Results) -> Table | None:
    """Modes by the arms of the protocol: UAR, and the recall of the emotion that an arm is about."""
    if not results.arms:
        return None
    watched = any(arm.watched for arm in results.arms)
    protocol = results.settings["methods"]["protocol"].replace("-", " ")
    title = f"{protocol}: UAR" + " (recall of that emotion)" * watched
    table = Table(title=title, title_justify="left")
    table.add_column("trained on", no_wrap=True)
    for arm in results.arms:
        table.add_column(arm.name)
    for mode in results.modes:
        table.add_row(mode, *(_in_arm(arm.modes.get(mode)) for arm in results.arms))
    return table


def _in_arm(row: ArmRow | None) -> str:
    if row is None:
        return "failed"
    return f"{row.uar.mean:.3f}" + ("" if row.recall is None else f" ({row.recall:.2f})")


def ablation_lines(results: Results) -> Iterator[str]:
    """What each turned setting comes to, and what it is worth."""
    for one in results.ablations:
        row, found = row_of(ABLATED, f"{one.setting}={spell(one.other)}"), one.difference
        if found is None or one.macro_f1 is None:
            yield f"{row}: failed"
            continue
        interval = f"{found.low:.3f} to {found.high:.3f}, p = {found.p_value:.3f}"
        if found.holm is not None and found.holm != found.p_value:
            interval += f", Holm {found.holm:.3f}"
        yield f"{row}: macro F1 {one.macro_f1.mean:.3f}, {found.difference:+.3f} ({interval})"


def aside_lines(results: Results) -> Iterator[str]:
    """What was not drawn from, and why, a line each."""
    for one in results.quarantined:
        yield f"{one.session} is put aside, seed {one.seed}: {one.reason}"


def failure_lines(results: Results) -> Iterator[str]:
    """What failed and what it was needed for, a line each."""
    for failure in results.failures:
        yield f"failed: {failure.unit} (for {', '.join(failure.modes)}): {failure.reason}"


def _short(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
