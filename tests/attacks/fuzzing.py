"""Messages that are nearly messages: changed in their bytes, their frame, their table of tensors or their words.

Owns the changes. Must not know what a keeper makes of them. The same seed makes the same messages.
"""

import json
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

LENGTH = struct.Struct("<Q")
"""A message begins with the length of its header."""
ALIGNED = 8
"""Headers are filled with spaces to a multiple of this."""
NEAR_THE_START = 4096
"""Bytes among which a header lies; a change in a weight is a wrong digest and little else."""
SMALL_SHARE = 0.8
"""Of messages without weights: they are made quickly, and most checks are on words."""
LENGTHS = (0, 1, 7, 2**16 - 8, 2**16, 2**31, 2**32, 2**63, 2**64 - 1)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 0.5, -0.0, 1e308, 1e-300, 10**9, 10**30, 2**63 - 1, 2**63),
    *("", "x", "../../etc", "a" * 64, "a" * 65, "\u00e9", "\ud800", "\x00", "fp32", "bf16", "score", "tune"),
    *("eskimez", "chatziagapi", "floor", "cnn", {"kind": "patches"}, {"kind": "vectors", "set": "x", "size": 3}),
    *([], {}, [[]], ["neutral"], ["angry", "neutral", "sad", "happy"], 0.015625, 4096, 16, 128),
)
"""What is put in the place of a value."""
SPELLINGS = (
    *("NaN", "Infinity", "-Infinity", "1e999", "-0.0", "1e-320", str(10**30), "9" * 5000, "1" + "0" * 400, "01"),
    *('""', "[]", "{}", '"\\ud800"', '"\\u0000"', '"\u00e9"', "[" * 3000 + "]" * 3000, "1.0", "-1", "0.1e1", "true"),
    *('"' + "A" * 70_000 + '"', '"a":1,', ",", "{", "}", '"__metadata__":{"eyesoff":"{}"},'),
)
"""What is put into a header's text, valid or not."""
TYPES = ("F64", "I64", "BF16", "F16", "f32", "BOOL", "", None, 7)
SHAPES = ([], [0], [-1], [2**62, 4], [True], [1.0], [2**31, 2**31, 2**31], [10**40], [1] * 1000, None)
OFFSETS = ([0, 0], [-1, 5], [0, 2**63], [], None, [5])
NAMES = ("__metadata__2", "../x", "base..", ".", "", "base.__class__", "base." + "a" * 200)
KEYS = ("extra", "kind", "protocol", "run", "__proto__", "base", "recognizer", "shipped")


@dataclass
class Fuzzer:
    """Makes messages from sound ones; the first are without weights."""

    sound: tuple[bytes, ...]
    without_weights: int
    seed: int
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def messages(self, count: int) -> Iterator[bytes]:
        """So many, each changed in one way."""
        ways: tuple[Callable[[bytes], bytes], ...] = (
            self._other_bytes,
            self._cut,
            self._longer,
            self._other_length,
            self._other_table,
            self._other_words,
            self._other_words,
            self._other_words,
            self._other_spelling,
            self._other_header,
        )
        for _ in range(count):
            yield self.chance.choice(ways)(self._any())

    def _any(self) -> bytes:
        small, large = self.sound[: self.without_weights], self.sound[self.without_weights :]
        return self.chance.choice(small if self.chance.random() < SMALL_SHARE else large)

    def _other_bytes(self, message: bytes) -> bytes:
        changed = bytearray(message)
        reach = min(len(changed), NEAR_THE_START) if self.chance.random() < SMALL_SHARE else len(changed)
        for _ in range(self.chance.choice((1, 1, 2, 8))):
            changed[self.chance.randrange(reach)] = self.chance.randrange(256)
        return bytes(changed)

    def _cut(self, message: bytes) -> bytes:
        return message[: self.chance.randrange(len(message))]

    def _longer(self, message: bytes) -> bytes:
        return message + bytes(self.chance.randrange(1, 64))

    def _other_length(self, message: bytes) -> bytes:
        length = self.chance.choice((*LENGTHS, self.chance.getrandbits(64), len(message) - LENGTH.size, len(message)))
        return LENGTH.pack(length) + message[LENGTH.size :]

    def _other_table(self, message: bytes) -> bytes:
        """A tensor of another type, shape, place or name; one more, or one less."""
        header, weights = taken_apart(message)
        names = [name for name in header if name != "__metadata__"]
        if not names:
            header["released.x"] = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
            return put_together(header, weights)
        name = self.chance.choice(names)
        key, values = self.chance.choice((("dtype", TYPES), ("shape", SHAPES), ("data_offsets", OFFSETS)))
        match self.chance.randrange(5):
            case 0:
                header[name][key] = self.chance.choice(values)
            case 1:
                header[self.chance.choice(NAMES)] = header.pop(name)
            case 2:
                header.pop(name)
            case 3:
                header[self.chance.choice(NAMES)] = dict(header[name])
            case _:
                header[name]["extra"] = 1
        return put_together(header, weights)

    def _other_words(self, message: bytes) -> bytes:
        """One to three values of the words replaced, taken out or put in."""
        header, weights = taken_apart(message)
        words = json.loads(header["__metadata__"]["eyesoff"])
        for _ in range(self.chance.choice((1, 1, 1, 2, 3))):
            place = self.chance.choice(list(_places(words)))
            way = self.chance.random()
            if way < 0.1:
                words[self.chance.choice(KEYS)] = self.chance.choice(VALUES)
            elif place:
                *path, last = place
                holder = words
                for step in path:
                    holder = holder[step]
                if way < 0.8:
                    holder[last] = self.chance.choice(VALUES)
                else:
                    del holder[last]
        tidy = self.chance.random() < 0.9
        header["__metadata__"]["eyesoff"] = json.dumps(words, sort_keys=tidy, separators=(",", ":") if tidy else None)
        return put_together(header, weights)

    def _other_spelling(self, message: bytes) -> bytes:
        """A value of the words spelled in a way that no JSON writer would choose."""
        header, weights = taken_apart(message)
        words = header["__metadata__"]["eyesoff"]
        start = 1 + self.chance.choice([place for place, sign in enumerate(words) if sign == ":"])
        end = next(place for place in range(start, len(words)) if words[place] in ",}]")
        header["__metadata__"]["eyesoff"] = words[:start] + self.chance.choice(SPELLINGS) + words[end:]
        return put_together(header, weights)

    def _other_header(self, message: bytes) -> bytes:
        header, weights = taken_apart(message)
        text = json.dumps(header, separators=(",", ":"))
        place = self.chance.randrange(len(text))
        return _framed(text[:place] + self.chance.choice(SPELLINGS) + text[place + self.chance.randrange(3) :], weights)


def taken_apart(message: bytes) -> tuple[dict[str, Any], bytes]:
    """A sound message's header and its weights."""
    (length,) = LENGTH.unpack_from(message)
    return json.loads(message[LENGTH.size : LENGTH.size + length]), message[LENGTH.size + length :]


def put_together(header: dict[str, Any], weights: bytes) -> bytes:
    """The message that has them."""
    return _framed(json.dumps(header, separators=(",", ":")), weights)


def _framed(text: str, weights: bytes) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    data += b" " * (-len(data) % ALIGNED)
    return LENGTH.pack(len(data)) + data + weights


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Of every value that holds no others."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    members = list(members)
    if not members:
        yield place
    for key, member in members:
        yield from _places(member, (*place, key))
