"""What a site has left to give: judges over the history that its ledger keeps.

Owns the quotas of a day and of a site's whole life. Must not know what a piece of work is, nor how it is done.
"""

import json
from collections.abc import Callable, Mapping

from client.flood import TurnedAway
from client.history import ADD, History
from client.policy import MEBIBYTE, Policy
from common.privacy.accountant import together
from common.privacy.budget import Budget, Spent
from common.wire import AddToSum, Code, Refused, Score, Tune

Judge = Callable[[History], None]
"""Raises `Refused` where what has happened so far does not leave room."""


def tunings_left(work: str, policy: Policy) -> Judge:
    """A piece of work that was begun before costs nothing: it is gone on with, or given again."""

    def judge(history: History) -> None:
        if work in history.made_in_all():
            return
        _require(len(history.made_in_all()) < policy.releases_in_all, Code.RELEASES_SPENT)
        _require(len(history.made_today()) < policy.tunings_a_day, Code.TUNINGS_SPENT)

    return judge


def sums_left(work: str, policy: Policy) -> Judge:
    """Of two sums over different sites the difference is what a few of them have added, or one."""

    def judge(history: History) -> None:
        begun = history.begun_in_all(ADD)
        numbers = work.removesuffix(work.rpartition("/")[2])
        others = sum(other.startswith(numbers) for other in begun if other != work)
        _require(others < policy.sums_of_one, Code.ADDED)

    return judge


def privacy_left(work: str, signal: float, spent: Mapping[str, float], policy: Policy) -> Judge:
    """Of the site's whole life; `spent` is what is known beside the ledger. The same work again costs nothing."""

    def judge(history: History) -> None:
        known = {**spent, **history.signals}
        if work in known:
            return
        budget = Budget(policy.epsilon_in_all, policy.delta_in_all, together(*known.values()))
        try:
            budget.charged(signal)
        except Spent as error:
            raise Refused(Code.PRIVACY_SPENT, where=error) from None

    return judge


def left_for(
    request: Tune | Score | AddToSum, work: str, signal: float, spent: Callable[[], Mapping[str, float]], policy: Policy
) -> Judge:
    """What a request that begins work must find left; `spent` is asked for a private release alone."""
    if isinstance(request, Score):
        return scorings_left(request, work, policy)
    judges = [tunings_left(work, policy)]
    if isinstance(request, AddToSum):
        judges.append(sums_left(work, policy))
    if signal:
        judges.append(privacy_left(work, signal, spent(), policy))

    def all_of_them(history: History) -> None:
        for judge in judges:
            judge(history)

    return all_of_them


def scorings_left(request: Score, work: str, policy: Policy) -> Judge:
    """A recognizer of a run in which this site took part, on that run's terms, and one for a fold."""

    def judge(history: History) -> None:
        begun = history.begun_in_all("score")
        if work in begun:
            return
        _check_run(request, history)
        fold = work.removesuffix(work.rpartition("/")[2])
        _require(not any(other.startswith(fold) for other in begun), Code.FOLD_SCORED)
        _require(len(begun) < policy.scorings_in_all, Code.ALL_SCORINGS_SPENT)
        _require(len(history.begun_today("score")) < policy.scorings_a_day, Code.SCORINGS_SPENT)

    return judge


def bytes_left(size: int, policy: Policy) -> Judge:
    """Of the day's."""

    def judge(history: History) -> None:
        _require(size + history.bytes_today <= policy.mebibytes_a_day * MEBIBYTE, Code.BYTES_SPENT)

    return judge


def refusals_left(policy: Policy) -> Judge:
    """To be written down; what is granted needs none, so that whoever spends them all silences nobody."""

    def judge(history: History) -> None:
        if history.refused_today >= policy.refusals_a_day:
            raise TurnedAway

    return judge


def _check_run(request: Score, history: History) -> None:
    scoring = request.scoring
    released = history.released.get(scoring.run)
    if released is None:
        raise Refused(Code.NOT_IN_THAT_RUN)
    told = json.loads(released)
    tuning = (told["summing"] if "summing" in told else told["card"])["tuning"]
    asked = scoring.model_dump(mode="json")
    same = all(asked[name] == tuning[name] for name in ("labels", "space", "features", "scaling"))
    shared = asked["settings"].keys() & tuning["settings"].keys() & {"network"}
    _require(same and all(asked["settings"][name] == tuning["settings"][name] for name in shared), Code.OTHER_TERMS)


def _require(granted: bool, code: Code) -> None:
    if not granted:
        raise Refused(code)
