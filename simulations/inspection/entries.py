"""How an entry of a ledger reads: in a line of fields for a program, in a few short lines for a person.

Owns both forms, neither of which cuts anything off. Must not know where the entries come from.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from client.bounds import recipe_numbers
from client.history import Entry
from client.recipes import preset_recipes
from common.errors import UserError
from common.wire import Tuning

FIELDS = (
    *("number", "time", "outcome", "kind", "run", "session", "reason", "requests", "bytes", "tensors", "sha256"),
    *("recipe", "base", "steps", "batch"),
)
KINDS = {
    "description": "what the site has, as far as its policy tells",
    "working": "a sign of life: the stage it is in, and the step",
    "release": "a tuned generator and its card",
    "opened": "seals for the other sites of a sum: chance alone, nothing of the speech",
    "masked": "numbers for a sum, under masks that fall in the sum alone, and which emotions the site holds",
    "shared": "shares that take the masks off the sum, and off nothing else",
    "scored": "how many utterances of each emotion a recognizer took for which",
    "noted": "a receipt for the news that somebody else said to be this site",
    "refusal": "a no, with one word for the reason",
}
"""What each kind of message that leaves a site holds."""
INDENT = 6 * " "


@dataclass(frozen=True)
class Run:
    """What a tuning ran, or was to run."""

    synthesizer: str
    recipe: str
    base: str
    steps: str
    batch: str


def run_in(entry: Entry) -> Run | None:
    """The tuning that an entry admits or releases, as its words tell it; None where none can be read."""
    try:
        words = json.loads(entry.words)
        told = words if entry.kind == "tune" else words["summing" if "summing" in words else "card"]
        tuning = Tuning.model_validate(told["tuning"])
        numbers = recipe_numbers(tuning.recipe)
    except (ValueError, LookupError, TypeError, UserError):  # of another version, or by a method that is not here
        return None
    steps, batch = (f"{numbers[name]:g}" if name in numbers else "" for name in ("steps", "batch"))
    return Run(tuning.synthesizer, tuning.recipe.digest, tuning.base or "", steps, batch)


def between(since: datetime | None, until: datetime | None) -> Callable[[Entry], bool]:
    """Whether an entry is of these days, both included, as UTC has them; None leaves an end open."""
    first = None if since is None else since.replace(tzinfo=UTC)
    after = None if until is None else until.replace(tzinfo=UTC) + timedelta(days=1)

    def wanted(entry: Entry) -> bool:
        return (first is None or entry.time >= first) and (after is None or entry.time < after)

    return wanted


def fields(entry: Entry) -> list[str]:
    """One text for each of `FIELDS`; where there is nothing to tell, an empty one."""
    run = run_in(entry)
    ran = ["", "", "", ""] if run is None else [run.recipe, run.base, run.steps, run.batch]
    reason = "" if entry.code is None else entry.code.value
    what = [entry.outcome, entry.kind, entry.run or "", entry.session or "", reason, str(entry.times)]
    size = [str(entry.bytes), str(len(entry.tensors)), entry.sha256]
    moment = f"{entry.time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return [_plain(text) for text in (str(entry.number), moment, *what, *size, *ran)]


def lines(entry: Entry) -> Iterator[str]:
    """For a person, in a window of 80 columns; the first line is when and what, those below it are set in."""
    reason = "" if entry.code is None else f": {entry.code.value}"
    many = f", {entry.times} requests" if entry.times > 1 else ""
    moment = entry.time.astimezone(UTC)
    yield _plain(f"{entry.number:>4}  {moment:%Y-%m-%d %H:%M:%S}  {entry.outcome} {entry.kind}{reason}{many}")
    if entry.run:
        yield INDENT + _plain(f"run {entry.run}" + (f", session {entry.session}" if entry.session else ""))
    if run := run_in(entry):
        yield f"{INDENT}{run.synthesizer}: {run.steps} steps of {run.batch} utterances"
        name = preset_recipes().get(run.recipe)
        yield f"{INDENT}recipe {run.recipe}" + (f"\n{INDENT}(of the preset {name})" if name else "")
        if run.base:
            yield f"{INDENT}base   {run.base}"
    if entry.outcome in ("accepted", "audited", "approved", "kept-back"):
        yield INDENT + _plain(entry.words)
    if entry.sha256:
        tensors = f", {len(entry.tensors)} tensors" if entry.tensors else ""
        yield f"{INDENT}{entry.bytes:,} bytes{tensors}"
        yield _plain(f"{INDENT}sha256 {entry.sha256}")


def _plain(text: str) -> str:
    """Without what a terminal would obey: a ledger may have been changed."""
    return "".join(sign if sign.isprintable() else "?" for sign in text).rstrip()
