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
    details = error.errors(include_url=False)
    for detail in details:
        if not _follows(detail, details):
            found.setdefault(_place(detail), []).append(detail)
    return [_describe(place, details, hint, known) for place, details in found.items()]


def all_mistakes(where: object, problems: list[str]) -> UserErrors:
    """What to raise for a file, or whatever was read, with these mistakes."""
    return UserErrors(f"{where}: {len(problems)} mistake{'s' * (len(problems) > 1)}", problems)


WHOLE, NUMBER, SWITCH, LIST = "a whole number", "a number", "true or false", 'a list, such as ["one", "two"]'
WORDS = {
    "greater_than": "above {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than": "below {lt}",
    "less_than_equal": "{le} or less",
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": NUMBER,
    "bool_type": SWITCH,
    "bool_parsing": SWITCH,
    "string_type": 'text, in quotes: "so"',
    "string_too_long": "{max_length} letters at the most",
    "string_too_short": "{min_length} letters or more",
    "tuple_type": LIST,
    "list_type": LIST,
    "too_short": "{min_length} or more, and there are {actual_length}",
    "too_long": "{max_length} at the most, and there are {actual_length}",
    "literal_error": "{expected}",
}
"""What a value has to be, by pydantic's kind of mistake; of any other kind its own words are told."""
PATTERNS = {
    r"^[a-z][a-z_]{0,23}$": "small letters, with _ between words, 24 at the most",
    r"^[^=]+=.+$": "key=value, such as anger=angry",
    r"^(auto|cpu|cuda(:\d+)?)$": "auto, cpu, cuda, or cuda:N",
}
"""What a text has to be that fits one."""

_CHOICE = re.compile(r"literal\[.*\]|constrained-\w+")
"""What pydantic puts behind a place that takes values of several kinds, once for each kind."""


def _follows(detail: Any, details: Sequence[Any]) -> bool:
    """Whether a list is too short only because some of it is wrong, which is told already."""
    here = detail["loc"]
    return detail["type"] == "too_short" and any(one["loc"][: len(here)] == here != one["loc"] for one in details)


def _place(detail: Any) -> str:
    return ".".join(part for part in map(str, detail["loc"]) if not _CHOICE.fullmatch(part)) or "(whole file)"


def _describe(place: str, details: Sequence[Any], hint: str, known: Callable[[], Iterable[str]]) -> str:
    """What is wrong with one place; where it takes values of several kinds, what each of them would have to be."""
    if details[0]["type"] == "extra_forbidden":
        near = get_close_matches(place, sorted(known()), 1, 0.8)
        return f"{place}: no such setting; {f'did you mean {near[0]}? ' if near else ''}{hint}"
    if details[0]["type"] == "model_type":
        return f"{place}: a section, not a setting; {hint}"
    message = ", or ".join(dict.fromkeys(map(_wrong, details)))
    given = details[0]["input"]
    shown = "" if isinstance(given, dict) else f" (given: {given!r})"
    return f"{place}: {message}{shown}"


def _wrong(detail: Any) -> str:
    """One mistake in plain words, where there are some."""
    context = detail.get("ctx", {})
    told = {name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()}
    words = PATTERNS.get(told.get("pattern", "")) or WORDS.get(detail["type"])
    if words is None or (detail["type"] == "too_long" and told.get("actual_length") is None):
        return str(detail["msg"]).removeprefix("Value error, ")
    return f"must be {words.format(**told)}"
