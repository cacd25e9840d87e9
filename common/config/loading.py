"""From a preset's name or a TOML file and overrides to one checked tree, or to every mistake in it at once.

Owns presets and overrides. Must not know what a setting means.
"""

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from common.config.added import section_kinds
from common.config.reading import all_mistakes, mistakes_in, read_toml
from common.config.tree import Config
from common.settings import Section

PRESETS = (
    "demo",
    "small",
    "emodb",
    "best",
    "privacy",
    "networks",
    "paper",
    "adan",
    "wadan",
    "sahu",
    "cyclegan",
    "chatziagapi",
)


def preset_path(name: str) -> Path:
    """The file of a preset; its first lines say how to start it, how long it takes and what comes out."""
    return Path(__file__).parent / "presets" / f"{name}.toml"


def load_config(source: str | Path = "demo", overrides: Iterable[str] = (), *, told_by: str = "--set") -> Config:
    """The configuration that a preset's name or a file gives, after `section.key=value` overrides.

    Args:
        source: a preset's name, or a file.
        overrides: each changes one setting.
        told_by: where a person wrote them, for what is wrong with one.
    """
    is_preset = str(source) in PRESETS
    path = preset_path(str(source)) if is_preset else Path(source)
    tree = read_toml(path, "configuration", remedy=f"name a TOML file or one of the presets {', '.join(PRESETS)}")
    if is_preset:
        tree["name"] = str(source)
    problems = [problem for override in overrides if (problem := _apply(tree, override, told_by))]
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        problems += mistakes_in(error, hint="`eyesoff config show` lists them all", known=_places)
    if problems:
        raise all_mistakes(f"preset {source} and what {told_by} changes" if is_preset else path, problems)
    return config


def changed(config: Config, overrides: Iterable[str], where: str) -> Config:
    """The same configuration after overrides; what is wrong with them is told of `where`."""
    tree = config.model_dump()
    problems = [problem for override in overrides if (problem := _apply(tree, override, where))]
    try:
        found = Config.model_validate(tree)
    except ValidationError as error:
        problems += mistakes_in(error, hint="`eyesoff config show` lists them all", known=_places)
    if problems:
        raise all_mistakes(where, problems)
    return found


def _places() -> Iterator[str]:
    """Every setting and every section that there is, as `section.key`."""
    waiting: list[tuple[str, type[Section]]] = [(name, kind) for name, kind in section_kinds().items()]
    yield from (name for name, _ in waiting)
    waiting.append(("", Config))
    while waiting:
        above, section = waiting.pop()
        for name, field in section.model_fields.items():
            place = f"{above}.{name}" if above else name
            yield place
            if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
                waiting.append((place, field.annotation))


def _apply(tree: dict[str, Any], override: str, told_by: str) -> str | None:
    """Write one override into the tree; the answer is what is wrong with it, if anything."""
    place, separator, text = override.partition("=")
    if not separator or not place.strip():
        return f"{told_by} {override}: write it as section.key=value"
    *sections, key = place.strip().split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            return f"{told_by} {override}: {section} is a setting, not a section"
    try:
        tree[key] = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        tree[key] = text.strip()
    return None
