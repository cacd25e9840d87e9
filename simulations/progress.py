"""What a person sees while a command works and when it is done: progress bars, and a printer of tables.

Owns their looks: bars on standard error, on which something moves every second, tables on standard output, and nothing
cut off where that is no terminal. Must not know what is counted: whoever works calls `(done, total)`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

UNCUT = 100_000
"""Columns of a file or a pipe, which has no right edge."""

Counting = Callable[[int, int], None]


@contextmanager
def busy(title: str) -> Iterator[None]:
    """What is done while the block runs, and for how long already; silent where standard error is no terminal.

    For work that cannot be counted, such as loading libraries. Blocks and bars stand one after another, never within
    each other.
    """
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, markup=False)
    columns = (TextColumn("{task.description}"), SpinnerColumn(), TimeElapsedColumn())
    quiet = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=quiet, redirect_stdout=False) as progress:
        progress.add_task(title, total=None)
        yield


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


def printer() -> "Console":
    """Of tables on standard output: as wide as the terminal, and elsewhere as wide as they are."""
    from rich.console import Console

    console = Console(markup=False)
    return console if console.is_terminal else Console(markup=False, width=UNCUT)
