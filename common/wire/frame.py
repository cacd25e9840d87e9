"""The bytes of a message: one safetensors blob whose metadata holds the message's words and whose tensors its weights.

Owns the frame and its one canonical spelling. Must not know any message.

Safetensors leaves a sender free to choose spaces, the order of keys and gaps between tensors, and each such freedom
carries hidden bytes. So a frame has one spelling: what arrives is parsed, spelled again, and must come out the same.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.wire.codes import Code, WireError
from common.wire.weights import Precision, Shape

HEADER_LIMIT = 64 * 1024
"""All that a message may hold beside its weights, the names and shapes of its tensors included."""

Table = Mapping[str, tuple[Precision, Shape]]
_LENGTH = struct.Struct("<Q")
_PRECISIONS = {precision.label: precision for precision in Precision}


@dataclass(frozen=True)
class Frame:
    """What stands before the weights; `start` is where their bytes begin."""

    words: str
    table: dict[str, tuple[Precision, Shape]]
    start: int


def spell(words: str, table: Table) -> bytes:
    """The bytes that stand before the weights; these then follow in the order of their names, without gaps."""
    header: dict[str, Any] = {"__metadata__": {"eyesoff": words}}
    end = 0
    for name, (precision, shape) in sorted(table.items()):
        start, end = end, end + precision.size(shape)
        header[name] = {"dtype": precision.label, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode("ascii")
    text += b" " * (-len(text) % 8)  # so that the weights stand aligned
    if _LENGTH.size + len(text) > HEADER_LIMIT:
        raise WireError(Code.TOO_WORDY, where=f"{_LENGTH.size + len(text)} bytes")
    return _LENGTH.pack(len(text)) + text


def read_frame(data: memoryview) -> Frame:
    """The frame of a message whose length is exactly right, or the reason why it is none."""
    if data.nbytes < _LENGTH.size:
        raise WireError(Code.TRUNCATED, where=f"{data.nbytes} bytes")
    if bytes(data[_LENGTH.size : _LENGTH.size + 1]) != b"{":
        raise WireError(Code.MALFORMED, where="no header")
    start = _LENGTH.size + _LENGTH.unpack_from(data)[0]
    if start > HEADER_LIMIT:
        raise WireError(Code.TOO_WORDY, where=f"{start} bytes announced")
    if start > data.nbytes:
        raise WireError(Code.TRUNCATED, where=f"{data.nbytes} bytes of at least {start}")
    header = strict_json(bytes(data[_LENGTH.size : start]))
    words = _words(header.pop("__metadata__", None))
    table = {name: _tensor(name, entry) for name, entry in header.items()}
    size = start + sum(precision.size(shape) for precision, shape in table.values())
    if size != data.nbytes:
        code = Code.TRUNCATED if data.nbytes < size else Code.TRAILING_BYTES
        raise WireError(code, where=f"{data.nbytes} bytes, its header says {size}")
    if spell(words, table) != data[:start]:
        raise WireError(Code.NOT_CANONICAL, where="header")
    return Frame(words, table, start)


def strict_json(text: bytes | str) -> dict[str, Any]:
    """A JSON object in ASCII in which no key stands twice and every number is finite."""
    try:
        plain = text.decode("ascii") if isinstance(text, bytes) else text
        value = json.loads(plain, object_pairs_hook=_distinct, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise WireError(Code.MALFORMED, where=type(error).__name__) from None
    if not isinstance(value, dict):
        raise WireError(Code.MALFORMED, where="not an object")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise WireError(Code.DUPLICATE_KEY)
    return members


def _no_constant(word: str) -> None:
    raise WireError(Code.BAD_FIELD, where=word)


def _words(metadata: object) -> str:
    match metadata:
        case {"eyesoff": str(words), **others} if not others:
            return words
    raise WireError(Code.MALFORMED, where="metadata")


def _tensor(name: str, entry: object) -> tuple[Precision, Shape]:
    """The offsets need no reading: there is one place where a tensor can stand."""
    match entry:
        case {"dtype": str(label), "shape": list(shape), "data_offsets": list(), **others} if not others:
            if label not in _PRECISIONS:
                raise WireError(Code.WRONG_TYPE, where=shown(name))
            if not all(type(size) is int and size > 0 for size in shape):
                raise WireError(Code.WRONG_SHAPE, where=shown(name))
            return _PRECISIONS[label], tuple(shape)
    raise WireError(Code.MALFORMED, where=shown(name))


def shown(name: str) -> str:
    """A name that a stranger chose, fit for a terminal."""
    return ascii(name[:80])
