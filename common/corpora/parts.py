"""Parts of recordings: from where to where an utterance goes, in a file that holds more than it.

Owns how a part is written down, read from text, named, and held against its file and its neighbours. Must not know a
layout, nor decode sound.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import TypeVar

MARK = "#t="
"""Between a file's path and the seconds, as W3C's Media Fragments write it."""
SLACK = 0.01
"""Seconds by which an end may be past the file's, or a part within its neighbour: tables round."""
_NOTHING = ("", "nat", "nan", "none")
_SPAN = re.compile(r"(?:(\d+) days? )?(\d+):(\d\d):(\d\d(?:\.\d+)?)")
"""A time as pandas and audformat write it, such as `0 days 00:00:01.500000`."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part:
    """Seconds of a recording; without an end it goes on to the end of the file."""

    start: float
    end: float | None = None

    def name(self, path: str) -> str:
        """Names this part of a file, unlike any other part of it.

        >>> Part(0.5, 2.0).name("a.wav"), Part(3.25).name("a.wav")
        ('a.wav#t=0.5,2', 'a.wav#t=3.25')
        """
        return f"{path}{MARK}{_spelled(self.start)}" + ("" if self.end is None else f",{_spelled(self.end)}")

    def seconds_in(self, whole: float) -> float:
        """How long it is in a file of that length; a part that is not in it is a ValueError with the reason."""
        end = whole if self.end is None else self.end
        if self.start >= whole or end > whole + SLACK:
            to = "" if self.end is None else f" to {_spelled(self.end)}"
            raise ValueError(f"{_spelled(self.start)}{to} s is beyond the end of the file, which lasts {whole:.3f} s")
        return min(end, whole) - self.start


def part_of(start: str, end: str) -> Part | None:
    """What two cells say; None is the whole file. Cells that say nothing sensible are a ValueError with the reason."""
    first, last = _seconds("start", start) or 0.0, _seconds("end", end)
    if last is not None and last <= first:
        raise ValueError(f"its end ({_spelled(last)} s) is not after its start ({_spelled(first)} s)")
    return None if first == 0 and last is None else Part(first, last)


def cells_of(part: Part | None) -> tuple[str, str]:
    """What a table says of a part: its start and its end.

    >>> cells_of(Part(0.5, 2)), cells_of(Part(0.5)), cells_of(None)
    (('0.5', '2'), ('0.5', ''), ('', ''))
    """
    if part is None:
        return "", ""
    return _spelled(part.start), "" if part.end is None else _spelled(part.end)


def overlapping(
    items: Iterable[T], group: Callable[[T], object], span: Callable[[T], tuple[float, float]]
) -> Iterator[tuple[T, T]]:
    """Each item that begins before an earlier one of its group has ended, and that earlier one."""
    groups = defaultdict(list)
    for item in items:
        groups[group(item)].append((*span(item), item))
    for members in groups.values():
        members.sort(key=itemgetter(0, 1))
        until, latest = members[0][1:]
        for start, end, item in members[1:]:
            if start < until - SLACK:
                yield item, latest
            if end > until:
                until, latest = end, item


def _seconds(name: str, text: str) -> float | None:
    text = text.strip()
    if text.lower() in _NOTHING:
        return None
    if span := _SPAN.fullmatch(text):
        days, hours, minutes, seconds = span.groups(default="0")
        return round(86_400 * int(days) + 3_600 * int(hours) + 60 * int(minutes) + float(seconds), 6)
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"its {name} {text!r} is no number of seconds")
    return round(value, 6)


def _spelled(seconds: float) -> str:
    return f"{seconds:.6f}".rstrip("0").rstrip(".")
