"""One answer of the doctor.

Owns its shape only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Sign = Literal["ok", "warn", "fail"]

GIB = 2**30


@dataclass(frozen=True)
class Finding:
    """What was asked, whether it is well, what was seen, what to do about it, and the figures behind the words."""

    subject: str
    sign: Sign
    seen: str
    remedy: str | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
