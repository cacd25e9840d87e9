"""`eyesoff deploy run` as plain functions: open the run's directory, submit it, follow it, read what came out.

Owns the sequence. Must not know where the SuperLink is.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from client.service import LONGEST_ANSWER
from common.config import Config
from common.errors import UserError
from common.training.pretrained import pretrained_hash
from server.campaign import RESULTS
from server.outcome import Found
from server.roster import write_holders
from server.run import Order, open_run
from simulations.federation.campaign import read_outcome
from simulations.federation.submission import COMPLETED, Connection, reason_of

PATIENCE = 300.0
"""Seconds for which a SuperLink that is starting anew is waited for."""
LOST_AFTER = LONGEST_ANSWER + 400.0
"""Seconds after which a request counts as lost: later than a keeper's latest answer, and the way there and back."""


def run_deployed(
    link: Connection,
    run: Path,
    config: Config,
    base: Path,
    *,
    plan: str | None = None,
    expected: int,
    resume: bool = False,
    holders: Mapping[str, str] | None = None,
    watch: Callable[[], None] = lambda: None,
) -> Found:
    """The campaign to its end; any end but success is an error that says why. The answer is the outcome.

    `holders` says of each node which session its key is for; where it is not told, the campaign cannot know.
    """
    name, weights = config.campaign_name(), pretrained_hash(base)
    ordered = Order(name, str(base.resolve()), weights, expected, plan or config.methods.protocol, per_speaker=True)
    open_run(run, config, ordered, resume=resume)
    if holders is not None:
        write_holders(run, holders)
    number = link.submit(run, lost_after=LOST_AFTER)
    status = link.follow(number, run / RESULTS, watch, patience=PATIENCE)
    if status != COMPLETED:
        log = link.keep_log(number)
        remedy = reason_of(log) or "its last lines say why"
        raise UserError(f"the campaign ended as {status}", where=log, remedy=f"{remedy}; --resume goes on")
    return read_outcome(run)
