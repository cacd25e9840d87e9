"""A registry of methods: one module a method below a package, and those of other people's packages by entry point.

Owns how methods are found, that names are unique, and what happens to one that cannot be loaded: it is named with its
reason, and the others work. Must not know what a method does.
"""

import importlib
import logging
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, Protocol, TypeVar

from common.errors import UserError
from common.sections import SHARED, sections_of
from common.settings import Section

log = logging.getLogger(__name__)


class Named(Protocol):
    """Whatever has a name of its own."""

    @property
    def name(self) -> str:
        """Unique in its registry."""
        ...


def sections_brought(method: Named) -> dict[str, type[Section]]:
    """The sections of a method's settings, where it has settings, by name."""
    settings = getattr(method, "Settings", None)
    return sections_of(settings) if isinstance(settings, type) and issubclass(settings, Section) else {}


PLAIN = ("name", "seed")
"""Settings of a configuration that stand in no section."""


def refuse_taken_sections(method: Named, kinds: Mapping[str, type[Section]]) -> None:
    """Two sections of one name could not both be read."""
    brought = sections_brought(method)
    if taken := [name for name, kind in brought.items() if name in PLAIN or kinds.get(name, kind) is not kind]:
        raise ValueError(f"its section [{taken[0]}] has the name of another one")


Method = TypeVar("Method", bound=Named)


@dataclass(frozen=True)
class Broken:
    """A method that could not be loaded, and why."""

    name: str
    reason: str


class Registry(Generic[Method]):
    """All methods of one kind.

    Args:
        noun: what one is called in messages.
        package: each of its modules holds one method as the constant `constant`; or the methods themselves.
        constant: its name.
        group: entry point group by which other packages add methods.
        kind: what a method must be an instance of.
    """

    def __init__(
        self, noun: str, package: str | Sequence[Method], constant: str, group: str, kind: type[Method]
    ) -> None:
        self.noun, self.group = noun, group
        self._package, self._constant, self._kind = package, constant, kind

    @cached_property
    def _found(self) -> tuple[dict[str, Method], tuple[Broken, ...]]:
        methods: dict[str, Method] = {}
        broken: list[Broken] = []
        for method in self.own:
            if method.name in methods:
                raise ValueError(f"two {self.noun}s are called {method.name}")
            methods[method.name] = method
        for point in sorted(entry_points(group=self.group), key=lambda point: point.name):
            try:
                methods[point.name] = self._brought(point, methods)
            except Exception as error:  # another package's code may raise anything
                broken.append(Broken(point.name, f"{type(error).__name__}: {error}"))
                log.warning("the %s %s of %s cannot be used: %s", self.noun, point.name, point.value, error)
        return methods, tuple(broken)

    @cached_property
    def own(self) -> tuple[Method, ...]:
        """Those that come with eyesoff."""
        return tuple(self._own())

    def _own(self) -> Iterator[Method]:
        if not isinstance(self._package, str):
            yield from self._package
            return
        package = importlib.import_module(self._package)
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
            yield getattr(importlib.import_module(f"{self._package}.{module.name}"), self._constant)

    def _brought(self, point: EntryPoint, taken: Mapping[str, Method]) -> Method:
        method = point.load()
        if not isinstance(method, self._kind):
            raise TypeError(f"{point.value} is no {self._kind.__name__}")
        if method.name != point.name:
            raise ValueError(f"it calls itself {method.name}")
        if method.name in taken:
            raise ValueError("the name is taken")
        kinds = dict(SHARED)
        for one in taken.values():
            kinds |= sections_brought(one)
        refuse_taken_sections(method, kinds)
        return method

    def drop(self, name: str, reason: str) -> None:
        """Count a method among those that cannot be used."""
        methods, broken = self._found
        kept = {other: method for other, method in methods.items() if other != name}
        self.__dict__["_found"] = (kept, (*broken, Broken(name, reason)))
        log.warning("the %s %s cannot be used: %s", self.noun, name, reason)

    @property
    def methods(self) -> Mapping[str, Method]:
        """By name: eyesoff's own, then those of other packages."""
        return self._found[0]

    @property
    def broken(self) -> tuple[Broken, ...]:
        """Those of other packages that cannot be used."""
        return self._found[1]

    def __iter__(self) -> Iterator[Method]:
        return iter(self.methods.values())

    def __contains__(self, name: object) -> bool:
        return name in self.methods

    def get(self, name: str) -> Method:
        """The method of this name."""
        if name in self.methods:
            return self.methods[name]
        remedy = f"there are {', '.join(self.methods)}"
        for one in self.broken:
            if one.name == name:
                remedy = f"it cannot be loaded: {one.reason}"
        raise UserError(f"no such {self.noun}", where=name, remedy=remedy)
