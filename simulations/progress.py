"""Progress bars on standard error, so that standard output stays clean for tables and JSON.

Owns their looks. Must not know what is counted: whoever works calls `(done, total)`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Counting = Callable[[int, int], None]


@contextmanager
def bars() -> Iterator[Callable[[str], Counting]]:
    """A function that opens a bar with a title; silent where standard error is no terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True, markup=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:

        def open_bar(title: str) -> Counting:
            task = progress.add_task(title, total=None)
            return lambda done, total: progress.update(task, completed=done, total=total)

        yield open_bar
