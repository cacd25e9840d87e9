"""What waits for a steward: finished releases with what their audits said, and the steward's answers to them.

Owns the list and the answers, which it writes into the ledger too. Must not know how a person is asked, nor a keeper at
work: that reads an answer when somebody asks for the release again.
"""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from client.activity import ASKED, TUNINGS
from client.audits import Answer, AuditFolder, digest_of
from client.gate import utc_now
from client.history import TUNE, Record
from client.ledger import Ledger, entries
from client.policy import Gatekeeper, load_policy
from client.recipes import preset_recipes
from client.rules import word_on_card
from client.site import Site
from client.tuning import TuningFolder
from common.audit.verdict import Verdict
from common.errors import UserError
from common.files import require_owner
from common.wire import Tuning
from common.wire.schema import release_bytes

SHORT = 12
"""Letters of a name: as many as tell releases of one site apart."""
LISTED = "`eyesoff keeper inbox` lists them"
CHANGED = "its weights have changed since they were audited"
RECALL = "what has left cannot be called back: ask the server's people to remove it from their bank"
FEWEST = 4
"""Letters by which a steward names a release: fewer are a slip of the hand."""


@dataclass(frozen=True)
class Waiting:
    """One finished release.

    Args:
        name: by which a steward answers.
        tuning: what was asked for.
        release: names the weights as they are now.
        verdict: of its audit; None where it has none yet, or none of these weights.
        answer: the steward's, to these weights.
        changed: whether these are other weights than those that were audited.
        held: whether it waits for the steward, who alone can let it go; until its audit has ended it waits for that.
        size: bytes of the weights as they leave, in the form that was asked for.
        left: when it was let out first; None where it never was.
        unasked: whether the policy lets every release go.
        damaged: whether its weights cannot be read: nothing is known of them then.
    """

    name: str
    tuning: Tuning
    release: str
    verdict: Verdict | None
    answer: str | None
    changed: bool
    held: bool
    size: int
    left: datetime | None = None
    unasked: bool = False
    damaged: bool = False

    def lines(self) -> Iterator[str]:
        """For a person."""
        method, recipe = self.tuning.synthesizer, self.tuning.recipe.digest
        preset = preset_recipes().get(recipe)
        asked = f"the recipe of {preset}" if preset else f"recipe {recipe[:SHORT]}"
        waits = "; it waits for your answer" if self.held else ""
        yield f"{self.name}  {method} for run {self.tuning.run}, {asked}: {self.state}{waits}"
        if self.verdict is not None:
            yield from (f"  {line}" for line in self.verdict.lines())
        if self.changed:
            yield f"  {CHANGED}: nothing can be told of it; refuse it, and find out who changed it"
        if self.left is not None:
            yield f"  it left first at {self.left:%Y-%m-%d %H:%M} UTC; {RECALL}"

    @property
    def state(self) -> str:
        """Where it stands, in words."""
        if self.damaged:
            return "damaged on disk, and made anew when it is asked for again"
        if self.answer is not None:
            return "approved by you" if self.answer == "approved" else "kept back by you"
        if self.verdict is None:
            return "leaves without an audit, as your policy says" if self.unasked else "not audited yet"
        return f"the audit says {self.verdict.word}"


def inbox(site: Site) -> list[Waiting]:
    """All finished releases of a site, in the order in which they were asked for."""
    rule = load_policy(site.policy).release
    asked = sorted((site.state / TUNINGS).glob(f"*/{ASKED}"), key=lambda path: path.stat().st_mtime_ns)
    left = _left(site)
    found = (_waiting(TuningFolder(path.parent), rule, left.get(path.parent.name)) for path in asked)
    return [one for one in found if one is not None]


def _left(site: Site) -> dict[str, datetime]:
    """When the release of each piece of work was let out first.

    An entry of 0.2.0 or before does not name the work, which may be any that the same run had begun here: rather
    one too many is said to have left than one too few.
    """
    left: dict[str, datetime] = {}
    begun: defaultdict[tuple[str | None, str | None], set[str]] = defaultdict(set)
    for entry in entries(site.ledger) if site.ledger.exists() else ():
        of_run = begun[entry.run, entry.session]
        if (entry.outcome, entry.kind) == ("admitted", TUNE):
            of_run.add(entry.work or entry.request)
        elif (entry.outcome, entry.kind) == ("sent", "release"):
            for work in {entry.work} if entry.work else of_run:
                left.setdefault(work, entry.time)
    return left


def answer(site: Site, name: str, word: str) -> Waiting:
    """Write a steward's answer down: beside the release, then in the ledger."""
    require_owner(site.state)
    if len(name) < FEWEST:
        raise UserError(f"{FEWEST} letters of a release's name are needed", where=repr(name), remedy=LISTED)
    found = [one for one in inbox(site) if one.name.startswith(name)]
    if len(found) != 1:
        what = "several releases have such a name" if found else "no finished release has that name"
        raise UserError(what, where=name, remedy=LISTED)
    (one,) = found
    if one.damaged:
        raise UserError(
            "this release is damaged on disk", where=name, remedy="it is made anew when it is asked for again"
        )
    if word == "approved" and (one.changed or one.verdict is None):
        why, remedy = (
            (CHANGED, "refuse it") if one.changed else ("it is not audited yet", "let the keeper audit it first")
        )
        raise UserError(f"this release cannot be approved: {why}", where=name, remedy=remedy)
    if load_policy(site.policy).release == "always":
        remedy = 'set release = "approve" or "audited" in the policy'
        raise UserError("this site's policy lets every release go without asking", where=site.policy, remedy=remedy)
    folder = next(path.parent for path in (site.state / TUNINGS).glob(f"{one.name}*/{ASKED}"))
    given = Answer.model_validate({"release": one.release, "word": word})
    AuditFolder(TuningFolder(folder)).keep_answer(given)
    Ledger(site.ledger).append(
        Record.model_validate(
            {
                "time": utc_now(),
                "outcome": word,
                "kind": "release",
                "run": one.tuning.run,
                "session": one.tuning.session,
                "work": folder.name,
                "sha256": one.release,
                "words": json.dumps({"verdict": one.verdict.word if one.verdict else "none"}),
            }
        )
    )
    return one


def _waiting(folder: TuningFolder, rule: Gatekeeper, left: datetime | None) -> Waiting | None:
    """Whoever looks changes nothing: what is damaged stays as it is."""
    tuning, name = folder.asked(), folder.path.name[:SHORT]
    if tuning is None or not folder.is_finished:
        return None
    try:
        weights, _ = folder.stored()
    except UserError:
        size = release_bytes(tuning)
        return Waiting(name, tuning, "", None, None, changed=False, held=False, size=size, left=left, damaged=True)
    release, own = digest_of(weights), AuditFolder(folder)
    verdict, said = own.fixed(release), own.answer(release)
    changed = own.is_swapped(release)
    told = verdict is not None or changed
    held = told and said is None and word_on_card(rule, verdict.word if verdict else None, said) is None
    return Waiting(
        name=name,
        tuning=tuning,
        release=release,
        verdict=verdict,
        answer=said,
        changed=changed,
        held=held,
        size=release_bytes(tuning),
        left=left,
        unasked=rule == "always",
    )
