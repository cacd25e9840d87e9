"""The inbox as a page: each release that waits, in words that need no glossary, with its audit and one picture.

Owns the words and their order. Must not know how an answer is given: it names the commands.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from client.bases import shipped_bases
from client.inbox import RECALL, SHORT, Waiting
from client.policy import Policy
from client.recipes import form_in_words, preset_recipes, promise_of, unusual
from common.audit.verdict import WORDS, Verdict
from simulations.report.drawing import Drawing
from simulations.report.rendering import render
from simulations.report.wording import interval, many, megabytes, score
from simulations.steward.policy_words import RULES
from simulations.steward.told_apart import told_apart

TEMPLATE = Path(__file__).parent / "inbox.html"
UNAUDITED = {
    False: "It has not been audited yet, so it cannot be approved. The keeper audits it as soon as it can.",
    True: "It has changed since it was audited, so nothing can be told of it. Refuse it, and find out who changed it.",
}
"""By whether an audit said something of other weights."""
UNTIL = {
    "audited": "If the audit says release, it leaves when the server asks. Anything else waits for your answer.",
    "approve": "Then it waits for your answer.",
}
"""What comes after the audit, by rule `release`."""


@dataclass(frozen=True)
class Section:
    """What the page says of one release."""

    name: str
    title: str
    held: bool
    asked: str
    facts: tuple[tuple[str, str], ...]
    unusual: tuple[str, ...]
    verdict: str
    reasons: tuple[str, ...]
    measured: tuple[tuple[str, str], ...]
    picture: Drawing | None
    meaning: str
    commands: tuple[str, ...]


def build(found: Sequence[Waiting], policy: Policy, session: str, site: Path) -> str:
    """The page of a site's inbox; those that wait come first."""
    shown = sorted(found, key=lambda one: not one.held)
    sections = [_section(one, policy, site) for one in shown]
    held = sum(one.held for one in found)
    waits = many(held, "release") if held else "Nothing"
    waits = f"{waits} {'wait' if held > 1 else 'waits'} for your answer."
    content = {
        "sections": {f"release-{one.name}": f"{one.name}: {one.title}" for one in sections},
        "releases": sections,
        "session": session,
        "answer": waits,
        "rule": RULES[policy.release],
    }
    return render(TEMPLATE, content)


def _section(one: Waiting, policy: Policy, site: Path) -> Section:
    method = one.tuning.method
    asked = (
        f"Run {one.tuning.run} asked this site to run {method.name}: {method.about} What would leave is "
        f"{method.released}: {megabytes(one.size)}, {form_in_words(one.tuning.recipe)}. No recording, file name or "
        "speaker's name is in it."
    )
    title = "waits for your answer" if one.held else one.state
    if one.verdict is None and policy.release == "always" and not one.damaged:
        title = "may leave without an audit"
    return Section(
        name=one.name,
        title=title,
        held=one.held,
        asked=asked,
        facts=tuple(_facts(one)),
        unusual=tuple(unusual(one.tuning.recipe, policy.bounds)),
        verdict=_said(one, policy),
        reasons=() if one.verdict is None else one.verdict.reasons,
        measured=() if one.verdict is None else tuple(_measured(one.verdict)),
        picture=None if one.verdict is None else told_apart(one.name, one.verdict, policy.audit),
        meaning=_meaning(one, policy),
        commands=_commands(one, policy, site),
    )


def _said(one: Waiting, policy: Policy) -> str:
    """What an audit said of it, or why none did."""
    if one.damaged:
        return "It is damaged on disk, so nothing can be told of it."
    if one.verdict is not None:
        return f"The audit says {one.verdict.word}. {_capital(WORDS[one.verdict.word])}."
    if policy.release == "always":
        return "It was not audited, for your policy asks for no audit."
    return UNAUDITED[one.changed]


def _facts(one: Waiting) -> Iterator[tuple[str, str]]:
    recipe, base = one.tuning.recipe, one.tuning.base
    preset = preset_recipes().get(recipe.digest)
    yield "recipe", f"of the preset {preset}" if preset else f"{recipe.digest[:SHORT]}…, which this site accepted"
    if base is not None:
        shipped = shipped_bases().get(base)
        yield "starts from", f"{shipped.name}, which come with eyesoff" if shipped else f"networks {base[:SHORT]}…"
    yield "emotions", ", ".join(one.tuning.labels)
    yield "size", megabytes(one.size)
    promised = promise_of(recipe)
    yield "differential privacy", f"{promised}" if promised else "none is promised"
    if not one.damaged:
        yield "names these weights", one.release[:SHORT] + "…"


def _measured(verdict: Verdict) -> Iterator[tuple[str, str]]:
    if verdict.auc is not None and verdict.low is not None and verdict.high is not None:
        found = f"{score(verdict.auc)} ({interval(verdict.low, verdict.high)})"
        meaning = "how often the attack tells which of two recordings was used; guessing is right in half of the pairs"
        yield "told apart", f"{found}: {meaning}. The interval holds with 90 % confidence."
    if verdict.worst is not None:
        meaning = "how often luck alone would make some recording stand out as much; small is bad"
        yield "worst recording", f"p = {verdict.worst:.2g}: {meaning}."
    if verdict.epsilon is not None:
        meaning = "no promise of differential privacy below this would be true of this release; 0 is good"
        yield "epsilon is at least", f"{verdict.epsilon:.2f}: {meaning}."
    if verdict.auc is not None:
        seen = "no planted copies" if verdict.noticed is None else f"copies in {100 * verdict.noticed:.1f} % of samples"
        yield "the audit notices", f"{seen}; copies of recordings were planted on purpose, to see whether it is awake."


def _meaning(one: Waiting, policy: Policy) -> str:
    if one.damaged:
        gone = "" if one.left is None else f"It left first at {one.left:%Y-%m-%d %H:%M} UTC; {RECALL}. "
        return f"{gone}Its file cannot be read. The keeper makes the same release anew when somebody asks for it."
    if one.left is not None:
        over = policy.release == "always" or one.answer == "kept-back"
        more = "" if over else " If you refuse it, it leaves no more."
        return f"It left first at {one.left:%Y-%m-%d %H:%M} UTC; {RECALL}.{more}"
    if policy.release == "always":
        return "Your policy lets it leave without asking you."
    if one.changed:
        return "It cannot be approved. If you refuse it, or do nothing, it stays here. Find out who changed it."
    if one.held:
        return (
            f"If you approve, it leaves when run {one.tuning.run} asks again. What has left cannot be called back. "
            "Your answer holds for these very weights; it stands in the ledger and on the release's card. If you "
            "refuse, or do nothing, it stays here, and the server is told only that it is held."
        )
    if one.verdict is None and one.answer is None:
        return f"It stays here until it is audited. {UNTIL[policy.release]} If you refuse it now, it stays here."
    if one.answer == "approved":
        return "You approved it: it leaves whenever the server asks. If you refuse it now, it leaves no more."
    if one.answer is not None:
        return "You kept it back. The server is told only that it is held. You may approve it later."
    return "Its audit says release, so it leaves when the server asks. If you refuse it, it leaves no more."


def _commands(one: Waiting, policy: Policy, site: Path) -> tuple[str, ...]:
    if policy.release == "always" or one.damaged:
        return ()
    settled = one.answer == "approved" or one.verdict is None or one.changed
    wanted = ["refuse"] if settled else ["approve", "refuse"]
    return tuple(f"eyesoff keeper {word} {one.name} --site {shlex.quote(str(site))}" for word in wanted)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
