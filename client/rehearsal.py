"""What a site would answer to a recipe, and what would leave: judged by its own gate's rules, and nothing begun.

Owns the judging of a request that nobody sent. Must not know who asks. Nothing is sent, charged or written at the
site: features are made in a folder that is deleted, and the ledger is only read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import ValidationError

from client.bases import Base, Bases, read_base
from client.budgets import left_for
from client.door import Door
from client.ledger import entries
from client.peers import Peers
from client.policy import Policy
from client.recipes import recipe_of
from client.rules import Holdings, check_request, signal_of, work_of
from client.site import Site
from client.spending import Spending
from client.standing import history_of
from common.config import Config
from common.errors import UserError
from common.features.spaces import identity_in, space_made
from common.privacy.summation import FEWEST
from common.spaces import Patches
from common.training.pretrained import fitting_weights
from common.wire import AddToSum, Ask, Code, Refused, Summing, Tune, Tuning, release_shapes, weights_digest
from common.wire.schema import release_bytes
from common.wire.summing import MOST_SITES

RUN = "dry-run"
Progress = Callable[[int, int], object]


@dataclass(frozen=True)
class Answer:
    """To one request.

    Args:
        request: in words.
        word: of the refusal; empty where it would be granted.
        why: what the site's own log would say of that.
    """

    request: str
    word: str = ""
    why: str = ""


@dataclass(frozen=True)
class Rehearsal:
    """Of one recipe at one site.

    Args:
        holdings: what the site has that such a method can read.
        description: the answer to the question who is there.
        tuning: the answer to the request to run the recipe.
        tensors: that would leave; none where it would be refused.
        bytes: of their numbers, likewise.
        known: emotion to whether the release would say that it knows it.
        again: whether this very work was begun before, so that it would cost nothing more.
        base_here: whether the networks that it starts from would not have to be sent.
        promise: of differential privacy; empty where there is none.
        summed: whether numbers for a sum would leave in place of a release.
    """

    holdings: Holdings
    description: Answer
    tuning: Answer
    tensors: int
    bytes: int
    known: dict[str, bool]
    again: bool
    base_here: bool
    promise: str
    summed: bool


def rehearse(
    site: Site,
    policy: Policy,
    config: Config,
    now: datetime,
    base: Path | None = None,
    progress: Progress | None = None,
) -> Rehearsal:
    """Judge a configuration's recipe, from networks of a folder or else from those that come with eyesoff."""
    tuning = tuning_of(site, config, base)
    peers = Peers(site.state).names()
    request = _asked(tuning, peers)
    known = list(entries(site.ledger)) if site.ledger.exists() else []
    history, spent = history_of(known, now), Spending(site.ledger).read()
    with TemporaryDirectory(prefix="eyesoff-") as folder:
        door = Door(site.model_copy(update={"state": Path(folder)}), progress)
        holdings = door.holdings()
        description = _judged("what do you hold?", lambda: check_request(Ask(run=RUN), policy, holdings))

        def admit() -> None:
            check_request(request, policy, holdings)
            if tuning.summed and len(peers) < FEWEST - 1:
                raise Refused(
                    Code.NO_KEY, where=f"keys of {len(peers)} sites", remedy="`eyesoff keeper peer` makes one"
                )
            left_for(request, work_of(request, holdings), signal_of(request), lambda: spent, policy)(history)

        what = f"add to a sum for {tuning.method.name}" if tuning.summed else f"run {tuning.method.name} on your speech"
        answer = _judged(what, admit)
        refused = bool(answer.word)
        in_space = holdings if refused else holdings.of(tuning.space)
    return Rehearsal(
        holdings=in_space,
        description=description,
        tuning=answer,
        tensors=0 if refused else 1 if tuning.summed else len(release_shapes(tuning)),
        bytes=0 if refused else request.summing.bytes if isinstance(request, AddToSum) else release_bytes(tuning),
        known=dict(zip(in_space.labels, in_space.known, strict=True)),
        again=work_of(request, holdings) in history.made_in_all(),
        base_here=tuning.base is None or Bases(site.state).has(tuning.base),
        promise=str(tuning.method.privacy(tuning.own) or ""),
        summed=tuning.summed,
    )


def _asked(tuning: Tuning, peers: Sequence[str]) -> Tune | AddToSum:
    """What makes something of the speech; in a sum with the sites that share a key, or with some of no name."""
    if not tuning.summed:
        return Tune(tuning=tuning, shipped=False, base={})
    others = peers if len(peers) >= FEWEST - 1 else [f"{tuning.session[:60]}-{number}" for number in range(1, FEWEST)]
    sites = sorted({tuning.session, *others[: MOST_SITES - 1]})
    return AddToSum(summing=Summing(tuning=tuning, name=RUN, sites=tuple(sites)), seals={})


def tuning_of(site: Site, config: Config, folder: Path | None) -> Tuning:
    """As a server with this configuration would ask for it."""
    recipe, space = recipe_of(config), space_made(config)
    about: dict[str, object] = {"run": RUN, "session": site.session, "labels": config.corpus.emotions}
    about |= {"features": identity_in(space, config), "scaling": None, "weights": None}
    try:
        asked = Tuning.model_validate(recipe.model_dump() | about)
    except ValidationError as error:
        remedy = "; ".join(str(one["msg"]).removeprefix("Value error, ") for one in error.errors())
        raise UserError("no server could ask for this recipe", remedy=remedy) from None
    if not isinstance(space, Patches):
        return asked
    base: Base = read_base(folder or fitting_weights(config.network))
    starts = asked.method.base(asked.own, len(asked.labels))
    weights = weights_digest({"base": base.weights}) if starts else None
    return asked.model_copy(update={"scaling": base.scaling, "weights": weights})


def _judged(request: str, judge: Callable[[], None]) -> Answer:
    try:
        judge()
    except Refused as refusal:
        return Answer(request, refusal.code.value, str(refusal))
    return Answer(request)
