"""What protocols draw by chance and count: parts of classes, and sets of samples beside them.

Owns the draws. Must not know a fold.

Each utterance has a rank of its own, made of the draw's names and its path: what is drawn of one is nested, and does
not hang on what else a corpus holds.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.seeds import derive_seed

Group = TypeVar("Group", bound=Hashable)


def counts(part: Manifest) -> dict[str, int]:
    """Utterances of each emotion."""
    found = Counter(utterance.emotion for utterance in part.utterances)
    return {label: found[label] for label in part.labels}


def first_of_each(
    part: Manifest,
    group: Callable[[Utterance], Group],
    kept: Callable[[Group, int], int],
    *names: str | int,
) -> Manifest:
    """Of each group of utterances as many as `kept` says of its size, drawn by these names."""
    groups: dict[Group, list[Utterance]] = defaultdict(list)
    for utterance in sorted(part.utterances, key=lambda one: derive_seed(*names, one.path)):
        groups[group(utterance)].append(utterance)
    paths = {one.path for key, members in groups.items() for one in members[: kept(key, len(members))]}
    return part.where(lambda utterance: utterance.path in paths)


def require_every_emotion(before: Manifest, after: Manifest, what: str, remedy: str) -> None:
    """That a draw leaves none without an utterance that had one."""
    had, has = counts(before), counts(after)
    if empty := [label for label in before.labels if had[label] and not has[label]]:
        told = ", ".join(f"{label} ({had[label]} before)" for label in empty)
        raise UserError(f"{what} leaves no utterance of {told}", where=f"corpus {before.corpus}", remedy=remedy)


def sets_of(part: Manifest, number: int) -> Mapping[str, int]:
    """So many sets of samples, each of the size and the emotions of a part."""
    return {label: number * count for label, count in counts(part).items()}


def up_to_the_largest(part: Manifest) -> Mapping[str, int]:
    """The samples that make each emotion of a part as frequent as its most frequent one."""
    found = counts(part)
    return {label: max(found.values()) - count for label, count in found.items()}


def evenly(total: int, labels: Iterable[str]) -> Mapping[str, int]:
    """So many samples over the emotions, the first ones having one more where it does not come out even.

    >>> evenly(7, ("neutral", "angry", "sad"))
    {'neutral': 3, 'angry': 2, 'sad': 2}
    """
    names = tuple(labels)
    whole, rest = divmod(total, len(names))
    return {label: whole + (place < rest) for place, label in enumerate(names)}
