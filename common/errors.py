"""The one kind of error that is written for the person who must act.

Owns the type only. Everything else in the tree raises it; the command line turns it into one line and an exit status.
"""

from typing import Any


class UserError(Exception):
    """Something the reader can mend: what is wrong, where, and what to do, in one line.

    >>> str(UserError("no such folder", where="data/emodb", remedy="pass --root DIR"))
    'no such folder: data/emodb; pass --root DIR'
    """

    def __init__(self, what: str, *, where: object = None, remedy: str | None = None) -> None:
        line = what if where is None else f"{what}: {where}"
        super().__init__(line if remedy is None else f"{line}; {remedy}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel whole between processes, whatever a kind of error is made from."""
        return _arrived, (type(self), self.args), self.__dict__


class TooFew(UserError):  # noqa: N818 - it is what there is of speech
    """There is less speech than a method can be fitted to."""


class UserErrors(UserError):  # noqa: N818 - there are several
    """Several mistakes found together, one line each, so that they can be mended in one go."""

    def __init__(self, heading: str, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join([heading, *(f"  - {problem}" for problem in problems)]))


def _arrived(kind: type[UserError], words: tuple[str, ...]) -> UserError:
    return kind.__new__(kind, *words)
