"""A dry run in words: what would be used, what would be answered, what would leave and what it would cost.

Owns the words. Must not know how a request is judged.
"""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from client.policy import Policy
from client.rehearsal import Answer, Rehearsal
from client.standing import Quota, plainly
from client.survey import Survey
from common.wire import Code
from simulations.report.wording import many, megabytes
from simulations.steward.policy_words import RULES


def lines(surveyed: Survey, found: Rehearsal, policy: Policy, quotas: tuple[Quota, ...]) -> Iterator[str]:
    """For a person."""
    yield f"site {surveyed.site.session} holds {surveyed.held()}"
    yield from (f"  left out: {reason}" for reason in surveyed.reasons())
    if heard := len(surveyed.manifest) - sum(found.holdings.utterances):
        yield f"  {many(heard, 'recording')} more cannot be used: no features can be made of them"
    for answer in (found.description, found.tuning):
        yield _answer(answer)
    if found.tuning.word in (Code.TOO_FEW_UTTERANCES.value, Code.TOO_FEW_SPEAKERS.value):
        fewest = f"{many(policy.minimum_utterances, 'recording')} of {many(policy.minimum_speakers, 'speaker')}"
        yield f"  your policy asks for at least {fewest} of each emotion that is held"
    if not found.tuning.word:
        yield from _leaving(found, policy)
        speakers = len(surveyed.manifest.speakers)
        if policy.release == "audited" and speakers < policy.audit.speakers:
            fewest = many(policy.audit.speakers, "speaker")
            yield f"  its audit says release with {fewest} at least, and you have {speakers}: so you would be asked"
        yield from _costs(found, quotas)
    yield "nothing was sent, nothing was charged, and the ledger has no entry of this"


def plain(surveyed: Survey, found: Rehearsal) -> dict[str, Any]:
    """For a program."""
    return {
        "session": surveyed.site.session,
        "utterances": dict(zip(found.holdings.labels, found.holdings.utterances, strict=True)),
        "dropped": surveyed.dropped,
        "reasons": list(surveyed.reasons()),
        "description": asdict(found.description),
        "tuning": asdict(found.tuning),
        "leaves": {"tensors": found.tensors, "bytes": found.bytes, "known": found.known},
        "again": found.again,
        "base_here": found.base_here,
        "promise": found.promise,
    }


def _answer(answer: Answer) -> str:
    if answer.word:
        return f'asked "{answer.request}", it would refuse with the word {answer.word}; its log would say: {answer.why}'
    return f'asked "{answer.request}", it would grant it'


def _leaving(found: Rehearsal, policy: Policy) -> Iterator[str]:
    known = ", ".join(f"{emotion} {'yes' if held else 'no'}" for emotion, held in found.known.items())
    if found.summed:
        yield f"  then would leave: {megabytes(found.bytes)} of numbers under masks; the server sees the sum alone"
        yield f"  beside them it says whether there is speech of each emotion: {known}"
        if found.promise:
            yield f"  differential privacy of the sum: {found.promise}"
        return
    yield f"  then would leave: {many(found.tensors, 'tensor')}, {megabytes(found.bytes)}, and a card beside them"
    yield f"  the card says whether there is speech of each emotion: {known}"
    counts = "tells" if policy.tell_counts else "does not tell"
    yield f"  the card {counts} how many recordings there are; it repeats the server's settings"
    if found.promise:
        yield f"  differential privacy: {found.promise}"
    yield f"  {RULES[policy.release]}"
    if not found.base_here:
        yield "  the server would be asked to send the networks that it starts from"


def _costs(found: Rehearsal, quotas: tuple[Quota, ...]) -> Iterator[str]:
    if found.again:
        yield "  this very work was begun before: the same release is given again, and costs nothing more"
        return
    (releases,) = (quota for quota in quotas if quota.rule == "releases_in_all")
    yield f"  it would cost one release of the {plainly(releases.left)} that are left"
    for budget in (quota for quota in quotas if quota.rule == "epsilon_in_all" and found.promise):
        yield f"  its epsilon is charged too: {budget.line()} before it"
