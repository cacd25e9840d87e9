"""What a site's policy makes of a request and of a reply: plain judgements, each with its word.

Owns the comparison of messages with the policy and with what the site holds. Must not know how either is written down
or sent, nor what has happened earlier in the day.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from client.bounds import scoring_numbers, tuning_numbers
from client.policy import Gatekeeper, Policy
from common.privacy.accountant import signal_for
from common.spaces import Space, Vectors
from common.synthesizers.synthesizer import Numbers
from common.wire import (
    AddToSum,
    Ask,
    CloseSum,
    Code,
    Collect,
    Description,
    Masked,
    Notice,
    Opened,
    OpenSum,
    Refused,
    Release,
    Reply,
    Request,
    Score,
    Scored,
    Scoring,
    Shared,
    Tune,
    Tuning,
    base_digest,
    identity,
    release_shapes,
)
from common.wire.terms import Audited

LETS_GO = {"always": ("none",), "audited": ("release", "approved"), "approve": ("approved",)}
"""What a card must say of its audit, by who a policy lets decide."""


def word_on_card(rule: Gatekeeper, verdict: str | None, answer: str | None) -> Audited | None:
    """What the card of a finished release says of its audit if it may leave; None where it is held.

    >>> word_on_card("audited", "refuse", None), word_on_card("audited", "refuse", "approved")
    (None, 'approved')
    """
    if rule == "always":
        return "none"
    if answer == "approved":
        return "approved"
    return "release" if rule == "audited" and answer is None and verdict == "release" else None


@dataclass(frozen=True)
class Holdings:
    """What a site holds, as its door to the data counts it; utterances and speakers in label order."""

    session: str
    labels: tuple[str, ...]
    features: str
    utterances: tuple[int, ...]
    speakers: tuple[int, ...]
    speech: str
    """Names this version of the speech: of other recordings a release is another one."""
    vectors: str | None = None
    """Names how speech becomes vectors here; None where it cannot."""
    in_vectors: "Callable[[], Holdings] | None" = field(default=None, compare=False)
    """Of the recordings that have a vector, counted when somebody first asks for what reads vectors."""

    def of(self, space: Space) -> "Holdings":
        """What it holds in a space, where other recordings may be unusable and features have another name."""
        if not isinstance(space, Vectors):
            return self
        if self.in_vectors is None or self.vectors is None:
            raise Refused(Code.WRONG_SPACE, where=space.set)
        return self.in_vectors()

    @property
    def known(self) -> tuple[bool, ...]:
        """Whether there is speech of each emotion, in label order."""
        return tuple(count > 0 for count in self.utterances)


def check_request(request: Request, policy: Policy, holdings: Holdings) -> None:
    """Raise `Refused` if the request asks for what the policy does not grant, whatever the time of day."""
    match request:
        case Ask():
            _check_allowed("description", policy)
            _require(any(holdings.known), Code.NO_SPEECH)
        case Tune(tuning=tuning) | Collect(tuning=tuning):
            _check_allowed("release", policy)
            _check_subject(tuning, holdings)
            _check_method(tuning)
            _require(not tuning.summed, Code.FORM, "a sum is asked for in rounds")
            _check_recipe(tuning, policy)
            _check_speech(tuning, policy, holdings)
        case OpenSum(summing=summing) | AddToSum(summing=summing) | CloseSum(summing=summing):
            _require("sum" in policy.allow, Code.SUMS_FORBIDDEN)
            _check_subject(summing.tuning, holdings)
            _check_method(summing.tuning)
            _check_recipe(summing.tuning, policy)
            _check_speech(summing.tuning, policy, holdings)
        case Score(scoring=scoring):
            _check_allowed("scored", policy)
            _check_subject(scoring, holdings)
            _require(type(scoring.space) in scoring.method.spaces, Code.WRONG_SPACE)
            _require(any(holdings.known), Code.NO_SPEECH)
            holdings = holdings.of(scoring.space)
            _require(scoring.features == holdings.features, Code.FEATURES)
            _check_bounds(scoring_numbers(scoring), policy)
            _require(policy.per_speaker or not scoring.per_speaker, Code.SPEAKERS_FORBIDDEN)
            check_minima(policy, holdings)
            _require(sum(holdings.utterances) >= policy.minimum_test_utterances, Code.TOO_FEW_TESTS)
        case Notice(session=session):
            _require(session == holdings.session, Code.UNKNOWN_SESSION)


def work_of(request: Tune | Collect | Score | AddToSum, holdings: Holdings) -> str:
    """Names the piece of work that a request is about: whoever asks for the same again is given the same again.

    Of a sum the numbers come first, which may be added to others, then the round.
    """
    if isinstance(request, Score):
        return f"{request.scoring.run}/{request.scoring.fold}/{identity(request)}"
    if isinstance(request, AddToSum):
        return f"{_made_of(request.summing.tuning, holdings)}/{request.summing.digest}"
    return _made_of(request.tuning, holdings)


def _made_of(tuning: Tuning, holdings: Holdings) -> str:
    start = base_digest(tuning.weights or "", tuning.scaling)  # without a base the scaling still changes the release
    parts = (tuning.recipe.digest, start, *tuning.labels, tuning.features, holdings.speech)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def signal_of(request: Tune | Score | AddToSum) -> float:
    """What a private release tells, as sensitivity over noise; 0 where a recipe promises nothing."""
    if isinstance(request, Score):
        return 0.0
    tuning = request.summing.tuning if isinstance(request, AddToSum) else request.tuning
    promised = tuning.method.privacy(tuning.own)
    return signal_for(promised.epsilon, promised.delta) if promised else 0.0


def check_reply(reply: Reply, policy: Policy, holdings: Holdings) -> None:
    """Raise `Refused` if the policy does not let this reply out; that it answers a request is judged elsewhere."""
    match reply:
        case Description():
            _check_allowed("description", policy)
            told = (reply.session, reply.labels, reply.features, reply.vectors)
            held = (holdings.session, holdings.labels, holdings.features, holdings.vectors)
            _require(told == held, Code.WRONG_ANSWER)
            _check_counts(reply.utterances, policy, holdings)
            _require(policy.tell_counts or reply.speakers is None, Code.COUNTS_FORBIDDEN)
        case Release(card=card):
            _check_allowed("release", policy)
            holdings = holdings.of(card.tuning.space)
            _require(card.tuning.precision in policy.precisions, Code.PRECISION_FORBIDDEN)
            _require(card.audit in LETS_GO[policy.release], Code.HELD)
            _check_counts(card.utterances, policy, holdings)
            _require(card.known == holdings.known, Code.WRONG_ANSWER)
            check_minima(policy, holdings)
        case Opened() | Shared():
            _require("sum" in policy.allow, Code.SUMS_FORBIDDEN)
        case Masked(summing=summing, known=known):
            _require("sum" in policy.allow, Code.SUMS_FORBIDDEN)
            holdings = holdings.of(summing.tuning.space)
            _require(known == holdings.known, Code.WRONG_ANSWER)
            check_minima(policy, holdings)
        case Scored(scoring=scoring, counts=counts, epsilon=epsilon):
            _check_allowed("scored", policy)
            holdings = holdings.of(scoring.space)
            exact = policy.scoring_epsilon == "exact"
            _require(epsilon is None if exact else epsilon == policy.scoring_epsilon, Code.WRONG_ANSWER)
            _require(policy.per_speaker or len(counts) == 1, Code.SPEAKERS_FORBIDDEN)
            check_minima(policy, holdings)
        case _:
            return


def _check_allowed(record: str, policy: Policy) -> None:
    _require(record in policy.allow, Code.KIND_FORBIDDEN)


def _check_subject(about: Tuning | Scoring, holdings: Holdings) -> None:
    _require(about.session == holdings.session, Code.UNKNOWN_SESSION)
    _require(about.labels == holdings.labels, Code.LABEL_ORDER)
    _require((about.scaling is None) == isinstance(about.space, Vectors), Code.BAD_FIELD, "scaling")


def _check_method(tuning: Tuning) -> None:
    """A synthesizer that is installed here, takes such examples, starts from what is named, and may be released."""
    method = tuning.method
    _require(method.reach == "anywhere", Code.STAYS_HERE, method.name)
    _require(type(tuning.space) in method.spaces, Code.WRONG_SPACE, method.name)
    starts = bool(method.base(tuning.own, len(tuning.labels)))
    _require(starts == (tuning.weights is not None), Code.BAD_FIELD, "weights")
    release_shapes(tuning)  # which refuses a form that this synthesizer has not


def _check_recipe(tuning: Tuning, policy: Policy) -> None:
    """What is run, from what and in which form it leaves is the site's to accept; bounds hold for the accepted too."""
    _require(tuning.precision in policy.precisions, Code.PRECISION_FORBIDDEN)
    _require(tuning.base is None or tuning.base in policy.bases, Code.BASE_FORBIDDEN, tuning.base)
    _require(tuning.recipe.digest in policy.recipes, Code.RECIPE_FORBIDDEN, tuning.recipe.digest)
    _check_bounds(tuning_numbers(tuning), policy)


def _check_speech(tuning: Tuning, policy: Policy, holdings: Holdings) -> None:
    """Enough of it, in the features that are meant."""
    _require(any(holdings.known), Code.NO_SPEECH)
    holdings = holdings.of(tuning.space)  # which may take a while, so nobody unaccepted has it done
    _require(tuning.features == holdings.features, Code.FEATURES)
    check_minima(policy, holdings)


def _check_bounds(numbers: Numbers, policy: Policy) -> None:
    outside = policy.bounds.outside(numbers)
    _require(not outside, Code.OUT_OF_BOUNDS, ", ".join(outside))


def check_minima(policy: Policy, holdings: Holdings) -> None:
    """An emotion that the site does not hold at all says nothing about anybody."""
    held = [pair for pair in zip(holdings.utterances, holdings.speakers, strict=True) if pair[0] > 0]
    _require(bool(held), Code.NO_SPEECH)
    _require(all(utterances >= policy.minimum_utterances for utterances, _ in held), Code.TOO_FEW_UTTERANCES)
    _require(all(speakers >= policy.minimum_speakers for _, speakers in held), Code.TOO_FEW_SPEAKERS)


def _check_counts(told: tuple[int, ...] | None, policy: Policy, holdings: Holdings) -> None:
    """Counts are told as they are or not at all."""
    _require(told is None or policy.tell_counts, Code.COUNTS_FORBIDDEN)
    _require(told is None or told == holdings.utterances, Code.WRONG_ANSWER)


def _require(granted: bool, code: Code, where: str | None = None) -> None:
    if not granted:
        raise Refused(code, where=where)
