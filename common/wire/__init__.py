"""What may cross between client and server: the messages, their bytes, and the checks on arrival.

Owns the schema, encode, decode and limits. Must not know how bytes travel or who grants what. No pickle on any path.
"""

from common.wire.codec import Limits, ShapesOf, check_weights, decode, decode_reply, encode, parts
from common.wire.codes import Code, Refused, WireError
from common.wire.frame import HEADER_LIMIT
from common.wire.messages import (
    PROTOCOL,
    REQUESTS,
    Ask,
    Collect,
    Description,
    Message,
    Noted,
    Notice,
    Refusal,
    Release,
    Reply,
    Request,
    Score,
    Scored,
    Stage,
    Tune,
    Working,
    identity,
    is_answer,
    subject,
)
from common.wire.releasing import needs_base, released_weights, restored_weights
from common.wire.schema import base_shapes, largest_reply, release_bytes, release_shapes, shapes_of
from common.wire.terms import Card, Extremes, Recipe, Scoring, Tuning, base_digest
from common.wire.weights import Precision, flatten, weights_digest

__all__ = [
    "HEADER_LIMIT",
    "PROTOCOL",
    "REQUESTS",
    "Ask",
    "Card",
    "Code",
    "Collect",
    "Description",
    "Extremes",
    "Limits",
    "Message",
    "Noted",
    "Notice",
    "Precision",
    "Recipe",
    "Refusal",
    "Refused",
    "Release",
    "Reply",
    "Request",
    "Score",
    "Scored",
    "Scoring",
    "ShapesOf",
    "Stage",
    "Tune",
    "Tuning",
    "WireError",
    "Working",
    "base_digest",
    "base_shapes",
    "check_weights",
    "decode",
    "decode_reply",
    "encode",
    "flatten",
    "identity",
    "is_answer",
    "largest_reply",
    "needs_base",
    "parts",
    "release_bytes",
    "release_shapes",
    "released_weights",
    "restored_weights",
    "shapes_of",
    "subject",
    "weights_digest",
]
