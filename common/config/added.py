"""Sections of settings that methods bring: each method of a registry may have one of its own, in its own file.

Owns which there are, and their reading. Must not know what a method does.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from common.registry import Registry, refuse_taken_sections, sections_brought
from common.sections import SHARED
from common.settings import Section


@cache
def section_kinds() -> Mapping[str, type[Section]]:
    """By name, of every method that can be used here; one whose section has the name of another's cannot."""
    registries = _registries()
    kinds = dict(SHARED)
    for registry in registries:
        for method in registry.own:
            kinds |= sections_brought(method)
    for registry in registries:
        for method in tuple(registry):
            try:
                refuse_taken_sections(method, kinds)
            except ValueError as error:
                registry.drop(method.name, f"ValueError: {error}")
            else:
                kinds |= sections_brought(method)
    return kinds


def sections_of_methods(names: tuple[str, str, str]) -> dict[str, Section]:
    """What a synthesizer, a recognizer and a protocol bring, at their defaults; one that is not here brings nothing."""
    kinds = section_kinds()  # first, for it drops a method whose section cannot be read
    brought: dict[str, type[Section]] = {}
    for registry, name in zip(_registries(), names, strict=True):
        if name in registry:
            brought |= sections_brought(registry.methods[name])
    return {name: kind() for name, kind in brought.items() if name in kinds and name not in SHARED}


def _registries() -> tuple[Registry[Any], Registry[Any], Registry[Any]]:
    """Of synthesizers, recognizers and protocols."""
    from common.protocols import PROTOCOLS
    from common.recognizers import RECOGNIZERS  # brings torch, which a configuration without such a section need not
    from common.synthesizers import SYNTHESIZERS

    return SYNTHESIZERS, RECOGNIZERS, PROTOCOLS


def read_added(tree: Mapping[str, Any], known: frozenset[str]) -> tuple[dict[str, Section], list[InitErrorDetails]]:
    """The sections of a tree that are none of the known ones, and every mistake in them.

    One that says nothing new is left out, so a configuration that spells out a method's defaults has the identity of
    one that does not.
    """
    sections: dict[str, Section] = {}
    mistakes: list[InitErrorDetails] = []
    for name in sorted(tree.keys() - known):
        kind = section_kinds().get(name)
        if kind is None:
            mistakes.append({"type": "extra_forbidden", "loc": (name,), "input": tree[name]})
            continue
        try:
            section = kind.model_validate(tree[name])
        except ValidationError as error:
            mistakes += details_of(error, (name,))
            continue
        if section != kind():
            sections[name] = section
    return sections, mistakes


def details_of(error: ValidationError, place: tuple[str, ...] = ()) -> list[InitErrorDetails]:
    """The mistakes that an error tells, each below a place, to be raised again together with others."""
    return [
        {"type": _kind(detail), "loc": (*place, *detail["loc"]), "input": detail["input"]}
        for detail in error.errors(include_url=False)
    ]


def _kind(detail: Any) -> str | PydanticCustomError:
    """What is raised again keeps its words; braces in them are no places for values."""
    if detail["type"] == "extra_forbidden":
        return "extra_forbidden"
    return PydanticCustomError(detail["type"], detail["msg"].replace("{", "{{").replace("}", "}}"), detail.get("ctx"))
