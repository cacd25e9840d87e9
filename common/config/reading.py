"""TOML files that people write: reading one, and naming every mistake in it at once.

Owns the complaining that configurations and a site's policy share. Must not know what a setting means.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from common.errors import UserError, UserErrors


def read_toml(path: Path, noun: str, *, remedy: str) -> dict[str, Any]:
    """The tables of a file; `noun` says what it should be, `remedy` what to do when it is not there."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"no such {noun}", where=path, remedy=remedy) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read the {noun}", where=path, remedy=str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise UserError("not valid TOML", where=path, remedy=str(error)) from None


def mistakes_in(error: ValidationError, *, hint: str, known: Callable[[], Iterable[str]] = tuple) -> list[str]:
    """A line a mistake, place first; `hint` says where the `known` places are listed, of which a near one is named."""
    found: dict[str, list[Any]] = {}
    for detail in error.errors(include_url=False):
        found.setdefault(_place(detail), []).append(detail)
    return [_describe(place, details, hint, known) for place, details in found.items()]


def all_mistakes(where: object, problems: list[str]) -> UserErrors:
    """What to raise for a file, or whatever was read, with these mistakes."""
    return UserErrors(f"{where}: {len(problems)} mistake{'s' * (len(problems) > 1)}", problems)


_CHOICE = re.compile(r"literal\[.*\]|constrained-\w+")
"""What pydantic puts behind a place that takes values of several kinds, once for each kind."""


def _place(detail: Any) -> str:
    return ".".join(part for part in map(str, detail["loc"]) if not _CHOICE.fullmatch(part)) or "(whole file)"


def _describe(place: str, details: Sequence[Any], hint: str, known: Callable[[], Iterable[str]]) -> str:
    """What is wrong with one place; where it takes values of several kinds, what each of them would have to be."""
    if details[0]["type"] == "extra_forbidden":
        near = get_close_matches(place, sorted(known()), 1, 0.8)
        return f"{place}: no such setting; {f'did you mean {near[0]}? ' if near else ''}{hint}"
    if details[0]["type"] == "model_type":
        return f"{place}: a section, not a setting; {hint}"
    message = ", or ".join(dict.fromkeys(detail["msg"].removeprefix("Value error, ") for detail in details))
    given = details[0]["input"]
    shown = "" if isinstance(given, dict) else f" (given: {given!r})"
    return f"{place}: {message}{shown}"
