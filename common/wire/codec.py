"""From a message to its bytes and back, refusing everything on the way that should not pass.

Owns encode, decode and the order of the checks: size, frame, words, tensors' names and shapes, values. Must not know
what a message is for, nor how it travels.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import ValidationError
from torch import Tensor

from common.wire.codes import Code, WireError
from common.wire.frame import Frame, Table, read_frame, shown, spell, strict_json
from common.wire.messages import PROTOCOL, REPLIES, Message, Reply, Request, is_answer
from common.wire.schema import largest_reply, shapes_of
from common.wire.weights import Shapes, check_values, flatten, from_bytes, to_bytes, weights_digest

M = TypeVar("M", bound=Message)
ShapesOf = Callable[[Message], Shapes]


@dataclass(frozen=True)
class Limits:
    """What one side accepts: bytes in all, which tensors, and how far from zero a weight may be."""

    bytes: int
    shapes: ShapesOf = shapes_of
    largest: float = 1000.0  # every precision of floats spells it, so that rounding carries no weight over it


def parts(message: Message) -> Iterator[bytes | memoryview]:
    """The message's bytes piece by piece, one tensor in memory at a time: for files, hashes and streams."""
    tensors = flatten(message.weights())
    table = {name: (message.precision_of(name), tuple(tensor.shape)) for name, tensor in tensors.items()}
    yield spell(message.words(), table)
    for name, tensor in sorted(tensors.items()):
        yield to_bytes(name, tensor, message.precision_of(name))


def encode(message: Message) -> bytes:
    """The message's bytes; peak memory is the weights, a cast copy if they are cast, and the result."""
    return b"".join(parts(message))


def decode(
    data: bytes | memoryview, expected: type[M] | tuple[type[M], ...], limits: Limits, *, kept: bool = False
) -> M:
    """The message in `data`, if it is one of the expected kinds and passes every check.

    What was `kept` here may be of another version's protocol, as long as this kind of message is what it was.
    Its weights are views of `data`: copy them into a network (`load_state_dict` does), never write to them.
    """
    view = memoryview(data).cast("B")
    if view.nbytes > limits.bytes:
        raise WireError(Code.TOO_LARGE, where=f"{view.nbytes} bytes of at most {limits.bytes}")
    frame = read_frame(view)
    fields = strict_json(frame.words)
    protocol = fields.pop("protocol", None)
    if protocol != PROTOCOL and not (kept and isinstance(protocol, str)):
        raise WireError(Code.PROTOCOL, where=f"theirs is {protocol!r:.20}, ours {PROTOCOL}")
    kind = _kind_of(fields, expected if isinstance(expected, tuple) else (expected,))
    message = _build(kind, fields, _views(kind, frame, view))
    if message.words(protocol) != frame.words:
        raise WireError(Code.NOT_CANONICAL, where=kind.__name__)
    _check_table(message, frame.table, limits.shapes(message))
    check_weights(message, limits)
    return message


def decode_reply(data: bytes | memoryview, request: Request, *, shapes: ShapesOf = shapes_of) -> Reply:
    """A client's answer to this request: its generator and at most 64 KiB, or 64 KiB alone."""
    kinds: tuple[type[Any], ...] = REPLIES[type(request)]
    reply: Reply = decode(data, kinds, Limits(largest_reply(request), shapes))
    if not is_answer(reply, request):
        raise WireError(Code.WRONG_ANSWER, where=reply.kind)
    return reply


def check_weights(message: Message, limits: Limits) -> None:
    """The checks of a message's tensors that need no bytes: for what has not come over the wire as well."""
    groups = message.weights()
    tensors = flatten(groups)
    _check_names({name: tuple(tensor.shape) for name, tensor in tensors.items()}, limits.shapes(message))
    for name, tensor in tensors.items():
        check_values(name, tensor, limits.largest)
    if message.stated_digest is not None and weights_digest(groups) != message.stated_digest:
        raise WireError(Code.WRONG_DIGEST, where=message.kind)


def _kind_of(fields: dict[str, Any], expected: tuple[type[M], ...]) -> type[M]:
    for kind in expected:
        if fields.get("kind") == kind.model_fields["kind"].default:
            return kind
    raise WireError(Code.UNEXPECTED_KIND, where=f"{fields.get('kind')!r:.40}")


def _views(kind: type[Message], frame: Frame, data: memoryview) -> dict[str, dict[str, Tensor]]:
    weights: dict[str, dict[str, Tensor]] = {field: {} for field in kind.carries}
    start = frame.start
    for name, (precision, shape) in frame.table.items():
        field, _, rest = name.partition(".")
        if field not in weights or not rest:
            raise WireError(Code.UNKNOWN_TENSOR, where=shown(name))
        weights[field][rest] = from_bytes(data, start, shape, precision)
        start += precision.size(shape)
    return weights


def _build(kind: type[M], fields: dict[str, Any], weights: dict[str, dict[str, Tensor]]) -> M:
    try:
        return kind.model_validate(fields | weights)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise WireError(Code.BAD_FIELD, where=f"{kind.__name__}.{shown(place)}: {first['msg']}") from None


def _check_table(message: Message, table: Table, shapes: Shapes) -> None:
    _check_names({name: shape for name, (_, shape) in table.items()}, shapes)
    for name, (precision, _) in table.items():
        if precision is not message.precision_of(name):
            raise WireError(Code.WRONG_TYPE, where=name)


def _check_names(given: Shapes, shapes: Shapes) -> None:
    for name, shape in given.items():
        if name not in shapes:
            raise WireError(Code.UNKNOWN_TENSOR, where=shown(name))
        if shape != shapes[name]:
            raise WireError(Code.WRONG_SHAPE, where=f"{name} is {list(shape)}, not {list(shapes[name])}")
    for name in shapes:
        if name not in given:
            raise WireError(Code.MISSING_TENSOR, where=name)
