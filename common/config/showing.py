"""A configuration written out as TOML that explains itself and reads back as the same tree.

Owns the spelling. Must not know what a setting means: the words beside it come from the tree.
"""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

from common.config.added import sections_of_methods
from common.config.tree import ASIDE, Config
from common.settings import Section

USUAL = {
    "batch": "examples in a step",
    "iterations": "steps",
    "learning_rate": "of Adam",
    "generator_learning_rate": "of Adam, for the generator",
    "discriminator_learning_rate": "of Adam, for the discriminator",
    "dropout": "chance that a number is left out while a network is trained",
}
"""What a setting of this name means, where its section says nothing more."""


def as_toml(config: Config) -> str:
    """Every setting with its description, those of the chosen methods too; the first line tells the identity hash."""
    aside = ", ".join(f"[{name}]" if isinstance(getattr(config, name), Section) else name for name in ASIDE)
    heading = f"# identity {config.identity_hash()}: of all below but {aside}"
    return "\n".join([heading, *_lines(config, ()), ""])


def as_plain(config: Config) -> dict[str, Any]:
    """The same as plain data."""
    chosen = {name: section.model_dump(mode="json") for name, section in _chosen(config).items()}
    return chosen | config.model_dump(mode="json")


def _chosen(config: Config) -> dict[str, Section]:
    """The sections that the configuration's methods brought, whether or not they say other than their defaults."""
    methods = config.methods
    return sections_of_methods((methods.synthesizer, methods.recognizer, methods.protocol)) | config.added


def _lines(section: Section, place: tuple[str, ...]) -> Iterator[str]:
    fields = {name: getattr(section, name) for name in type(section).model_fields}
    fields |= _chosen(section) if isinstance(section, Config) else {}
    for name, value in fields.items():
        if not isinstance(value, Section):
            description = about_setting(type(section), name)
            yield from textwrap.wrap(description, 108, initial_indent="# ", subsequent_indent="# ")
            yield f"{name} = {spell(value)}"
    for name, value in fields.items():
        if isinstance(value, Section):
            about = about_section(value)
            yield from ("", f"# {about}") if about else ("",)
            yield f"[{'.'.join((*place, name))}]"
            yield from _lines(value, (*place, name))


def about_section(section: Section) -> str:
    """The first line of what a section says of itself; one of another package may say nothing."""
    return (type(section).__doc__ or "").strip().partition("\n")[0]


def about_setting(kind: type[Section], name: str) -> str:
    """What a setting says of itself, or what its name means in every section."""
    return kind.model_fields[name].description or USUAL.get(name, "")


def spell(value: Any) -> str:
    """A TOML value; JSON's spelling is TOML's for all that the tree holds.

    >>> spell(("neutral", "angry"))
    '["neutral", "angry"]'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
