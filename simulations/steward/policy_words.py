"""A policy in words: what a server may ask of this site and what may leave it.

Owns the words. Must not know how a policy is enforced.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from client.bases import shipped_bases
from client.policy import Policy
from client.recipes import preset_recipes

RULES = {
    "always": "Every finished release may leave without asking you, and none is audited.",
    "audited": "A release leaves by itself where its audit says release. Anything else waits for you.",
    "approve": "Nothing leaves before you approve it, whatever its audit says.",
}
"""What rule `release` means."""


def in_words(policy: Policy) -> Iterator[str]:
    """A line a rule, for those that decide what leaves."""
    if not policy.allow:
        yield "Nothing may leave."
        return
    yield f"May leave: {', '.join(policy.allow)}."
    if {"release", "sum"} & {*policy.allow}:
        recipes, bases = _named(policy.recipes, preset_recipes()), _named(policy.bases, _names(shipped_bases()))
        yield f"May be run: the recipes {recipes or '(none)'}; starting from the networks {bases or '(none)'}."
    if "release" in policy.allow:
        yield RULES[policy.release]
    if "sum" in policy.allow:
        often = "one sum" if policy.sums_of_one == 1 else f"{policy.sums_of_one} sums"
        yield f"With sites that share a key with yours it adds to sums, the same numbers to {often} at the most."
    fewest = f"{policy.minimum_utterances} recordings or {policy.minimum_speakers} speakers"
    yield f"An emotion that is held with fewer than {fewest} stops everything."
    yield f"Counts of recordings {'are told' if policy.tell_counts else 'stay here'}."
    if "scored" in policy.allow:
        noise = policy.scoring_epsilon
        told = "exact counts" if noise == "exact" else f"counts with noise of epsilon {noise:g}"
        each = "one matrix a speaker" if policy.per_speaker else "one matrix for all speakers"
        yield f"A scoring tells {told}, {each}; it needs {policy.minimum_test_utterances} recordings."


def _names(shipped: Mapping[str, Path]) -> dict[str, str]:
    return {digest: folder.name for digest, folder in shipped.items()}


def _named(digests: Iterable[str], known: Mapping[str, str]) -> str:
    """By the names that come with eyesoff; the others by how they begin."""
    return ", ".join(known.get(digest, f"{digest[:8]}… of your own") for digest in digests)
