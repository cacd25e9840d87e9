"""What the commands that list methods share: those that there are, and those that cannot be used.

Owns the spelling. Must not know which registry it shows.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from common.registry import Registry


def space_names(kinds: frozenset[type]) -> str:
    """In words, sorted."""
    return ", ".join(sorted(kind.__name__.lower() for kind in kinds))


def show(title: str, registry: "Registry[Any]", row_of: Callable[[Any], Mapping[str, str]], as_json: bool) -> None:
    """Each method, and on the error stream what cannot be used; tabs part its fields where there is no terminal."""
    import json

    from common.config.added import section_kinds

    with _untold():
        section_kinds()  # which finds those whose sections have the name of another's
        rows = [row_of(one) for one in registry]
    if as_json:
        broken = [{"name": one.name, "reason": one.reason} for one in registry.broken]
        typer.echo(json.dumps({title: rows, "broken": broken}))
        return
    tell(rows)
    for one in registry.broken:
        typer.echo(f"{registry.noun} {one.name} cannot be used: {one.reason}", err=True)


@contextmanager
def _untold() -> Iterator[None]:
    """What cannot be used is listed: the registry's own warning of it would say it twice."""
    log = logging.getLogger("common.registry")
    before = log.disabled
    log.disabled = True
    try:
        yield
    finally:
        log.disabled = before


def tell(rows: Sequence[Mapping[str, str]]) -> None:
    """Rows of fields: on a terminal a paragraph each, since columns would cut words; elsewhere a line, heads first."""
    from rich.padding import Padding

    from simulations.progress import printer

    console = printer()
    if not console.is_terminal:
        for words in (rows[0], *(row.values() for row in rows)):
            typer.echo("\t".join(words))
        return
    for row in rows:
        name, *told = row.items()
        console.print(name[1], style="bold", highlight=False)
        for head, words in told:
            console.print(Padding(f"{head}: {words}", (0, 0, 0, 2)), highlight=False)
