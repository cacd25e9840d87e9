"""Why a message or a request was turned away: fixed words, so that a refusal can be told without telling anything else.

Owns the vocabulary and its meanings. Must not know who refuses: both sides read the same words.
"""

from enum import StrEnum
from typing import Self

from common.errors import UserError


class Code(StrEnum):
    """The word that travels; `meaning` is looked up where it arrives, so that no sentence has to travel."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Self:
        """A word with its meaning."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

    # A message that is not what it should be.
    TOO_LARGE = "too-large", "more bytes than are accepted here"
    TOO_WORDY = "too-wordy", "more than 64 KiB beside the weights"
    TRUNCATED = "truncated", "it ends before its last byte"
    TRAILING_BYTES = "trailing-bytes", "bytes follow its end"
    MALFORMED = "malformed", "not a message at all"
    DUPLICATE_KEY = "duplicate-key", "one key stands twice"
    PROTOCOL = "protocol", "another version of the protocol; install the same eyesoff on both sides"
    UNEXPECTED_KIND = "unexpected-kind", "a kind of message that is not awaited here"
    BAD_FIELD = "bad-field", "a field that is unknown, missing or out of bounds"
    NOT_CANONICAL = "not-canonical", "spelled otherwise than this protocol spells it"
    UNKNOWN_TENSOR = "unknown-tensor", "a tensor that the network does not have"
    MISSING_TENSOR = "missing-tensor", "a tensor of the network is not there"
    WRONG_SHAPE = "wrong-shape", "a tensor has another shape than the network's"
    WRONG_TYPE = "wrong-type", "a tensor has another number format than was agreed"
    NOT_FINITE = "not-finite", "a weight is not a number or infinite"
    OVERFLOW = "overflow", "a weight does not fit the number format; ask for bf16 or fp32"
    ABSURD_NORM = "absurd-norm", "weights larger than training makes them"
    WRONG_DIGEST = "wrong-digest", "the weights are not those that the message names"
    WRONG_ANSWER = "wrong-answer", "an answer to something that was not asked"

    # A request that this site does not grant.
    UNKNOWN_SESSION = "unknown-session", "this site does not hold that session"
    LABEL_ORDER = "label-order", "the site's labels are others, or in another order"
    FEATURES = "features", "the site's features are computed with other settings"
    KIND_FORBIDDEN = "kind-forbidden", "the site's policy lets no such record out"
    PRECISION_FORBIDDEN = "precision-forbidden", "the site's policy forbids that number format"
    FORM = "form", "a release of that synthesizer cannot have that form"
    UNKNOWN_METHOD = "unknown-method", "a synthesizer or recognizer that is not installed there"
    WRONG_SPACE = "wrong-space", "the method does not take examples of that kind"
    SUMS_FORBIDDEN = "sums-forbidden", "the site takes part in no sums; its steward can allow them"
    NO_KEY = "no-key", "the site shares no key with one of the sites of this sum; their stewards can exchange one"
    TOO_FEW_SITES = "too-few-sites", "fewer sites are left in the sum than hide each other"
    SEAL = "seal", "a seal of another round, or of someone with whom the site has exchanged no key"
    ANSWERED = "answered", "the site has answered this step of the sum to another question, or it comes out of turn"
    ADDED = "added", "the site has added these numbers to another sum, and the difference of two would tell them"
    STAYS_HERE = "stays-here", "what this synthesizer makes holds recordings, and cannot be released"
    BASE_FORBIDDEN = (
        "base-forbidden",
        "the site has not accepted these networks; its steward can: `eyesoff keeper accept base`",
    )
    BASE_NEEDED = "base-needed", "the site accepts these networks and lacks them; send them along"
    RECIPE_FORBIDDEN = (
        "recipe-forbidden",
        "the site has not accepted this recipe; its steward can: `eyesoff keeper accept recipe`",
    )
    OUT_OF_BOUNDS = "out-of-bounds", "a number lies outside the bounds of the site's policy"
    NOT_IN_THAT_RUN = "not-in-that-run", "this site released nothing to that run"
    OTHER_TERMS = "other-terms", "sizes or scaling are not those of the site's release to that run"
    FOLD_SCORED = "fold-scored", "another recognizer of that fold has been scored here"
    TOO_FEW_TESTS = "too-few-tests", "fewer utterances to test on than the site's policy asks for"
    RELEASES_SPENT = "releases-spent", "the site has made all the releases that its policy grants"
    ALL_SCORINGS_SPENT = "all-scorings-spent", "the site has given all the scorings that its policy grants"
    PRIVACY_SPENT = "privacy-spent", "the site's budget of differential privacy does not hold this release"
    TOO_LONG = "too-long", "it takes longer than the site's policy grants"
    STATE_FULL = "state-full", "the site's disk for its work is full"
    TUNINGS_SPENT = "tunings-spent", "the site has begun its day's tunings; ask again tomorrow"
    SCORINGS_SPENT = "scorings-spent", "the site has begun its day's scorings; ask again tomorrow"
    BYTES_SPENT = "bytes-spent", "the site's bytes of the day are spent; ask again tomorrow"
    TOO_FEW_UTTERANCES = "too-few-utterances", "an emotion has fewer utterances than the site's policy asks for"
    TOO_FEW_SPEAKERS = "too-few-speakers", "an emotion has fewer speakers than the site's policy asks for"
    COUNTS_FORBIDDEN = "counts-forbidden", "the site's policy keeps utterance counts to itself"
    SPEAKERS_FORBIDDEN = "speakers-forbidden", "the site's policy forbids confusions by speaker"
    AUDIT = "audit", "a privacy audit held the answer back"
    HELD = "held", "it is done, and neither an audit nor the site's steward has let it go; ask again later"

    # A request that was granted and came to nothing.
    NOT_BEGUN = "not-begun", "no such tuning has been begun here; ask for it first"
    NO_SPEECH = "no-speech", "the site holds no labelled speech of that session"
    TOO_LITTLE_SPEECH = "too-little-speech", "the site holds too few recordings for this synthesizer"
    FAILED = "failed", "it failed at the site; the site's own log says why"


class Refused(UserError):  # noqa: N818 - it is an answer more often than an error
    """Turned away for a reason that has a fixed word; whatever else it says stays on this machine."""

    def __init__(self, code: Code, *, where: object = None, remedy: str | None = None) -> None:
        self.code = code
        super().__init__(f"{code.value} ({code.meaning})", where=where, remedy=remedy)


class WireError(Refused):
    """A message that does not pass the checks on arrival."""
