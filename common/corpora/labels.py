"""Labels of other people's: a corpus that says anger where a run says angry.

Owns the maps and what is wrong with one. Must not know a layout.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from common.corpora.layout import Finding, Layout
from common.corpora.manifest import BadFile
from common.errors import UserError, UserErrors
from common.settings import EMOTIONS

LONGEST = 200
"""Letters of a reason on one line with others."""
COMMON = (*EMOTIONS, "calm", "fearful", "disgusted", "surprised", "bored", "frustrated", "excited", "other")
"""What people call emotions here; of whoever calls them otherwise, a label is mapped."""
LABEL = re.compile(r"^[a-z][a-z_]{0,23}$")


def maps_in(layout: Layout, options: Mapping[str, str]) -> dict[str, str]:
    """The options that map a label to another: those that name no option of the layout, but a label it may have.

    Capitals count for nothing, as in the labels of a table.
    """
    named = [option for option in options if option not in layout.options]
    pairs = {plain(option): plain(options[option]) for option in named}
    if twice := [option for option in named if [plain(one) for one in named].count(plain(option)) > 1]:
        remedy = "capitals count for nothing; map each label once"
        raise UserError("a label is mapped twice", where=", ".join(twice), remedy=remedy)
    return {option: value for option, value in pairs.items() if layout.free_labels or option in layout.emotions}


def plain(label: str) -> str:
    """A label as it is compared.

    >>> plain(" Wut ")
    'wut'
    """
    return composed(label).strip().lower()


def composed(text: str) -> str:
    """Each letter as one sign: a Mac writes the names of files with accents as signs of their own.

    >>> len("a\u0308"), len(composed("a\u0308"))
    (2, 1)
    """
    return unicodedata.normalize("NFC", text)


def check_maps(maps: Mapping[str, str]) -> None:
    """Refuse what is no label, and a map of a map, of which a circle is one."""
    problems = [f"{source}={label}: {label!r} is no label" for source, label in maps.items() if not LABEL.match(label)]
    problems += [f"{source}={label}: {label} is mapped itself" for source, label in maps.items() if label in maps]
    if problems:
        raise UserErrors("labels that cannot be mapped; map each to one that is not mapped", problems)


def mapped(findings: Iterable[Finding], maps: Mapping[str, str]) -> Iterator[Finding]:
    """The recordings with their labels mapped; a label that no map names stays."""
    for finding in findings:
        if isinstance(finding, BadFile) or finding.emotion is None:
            yield finding
        else:
            yield replace(finding, emotion=maps.get(finding.emotion, finding.emotion))


def unmet(findings: Iterable[Finding], maps: Mapping[str, str]) -> Iterator[str]:
    """A note on each map of a label that no recording has."""
    there = dict.fromkeys(one.emotion for one in findings if not isinstance(one, BadFile) and one.emotion)
    for source, label in maps.items():
        if source not in there:
            known = ", ".join(there) or "none"
            yield f"no recording has the label {source}, which would count as {label}; there are {known}"


def complaints(bad: Iterable[BadFile]) -> list[str]:
    """A line a reason: hundreds of files may have the same."""
    by_reason: dict[str, list[str]] = {}
    for file in bad:
        by_reason.setdefault(file.reason, []).append(file.path)
    return [f"{_shown(paths)}: {reason}" for reason, paths in by_reason.items()]


def in_short(bad: Iterable[BadFile], most: int = 3) -> str:
    """The same on one line of bounded length, the commonest reasons first; empty where nothing is bad.

    >>> in_short([BadFile("a", "no emotion"), BadFile("b", "not a wav"), BadFile("c", "not a wav")])
    '2 not a wav (b, c); 1 no emotion (a)'
    """
    by_reason: dict[str, list[str]] = {}
    for file in bad:
        by_reason.setdefault(file.reason, []).append(file.path)
    ordered = sorted(by_reason.items(), key=lambda pair: -len(pair[1]))
    told = [f"{len(paths)} {reason[:LONGEST]} ({_shown(paths)})" for reason, paths in ordered[:most]]
    if rest := ordered[most:]:
        told.append(f"{sum(len(paths) for _, paths in rest)} more for {len(rest)} other reasons")
    return "; ".join(told)


def _shown(paths: list[str]) -> str:
    """A few by name.

    >>> _shown(["a", "b"]), _shown(["a", "b", "c", "d", "e"])
    ('a, b', 'a, b, c and 2 more')
    """
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
