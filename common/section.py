"""What each section of settings is, and every message of the wire.

Owns what no section forgives: a key that it does not know, a number that is none. Must not know a setting.
"""

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A frozen part of the tree; a key it does not know is a mistake, not a comment."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _true_is_no_number(cls, tree: Any) -> Any:
        """Pydantic reads true as 1, which nobody means who writes it; as a word it is refused beside other mistakes."""
        if not isinstance(tree, dict):
            return tree
        switched = {name: str(value).lower() for name, value in tree.items() if cls._is_switched(name, value)}
        return tree | switched if switched else tree

    @classmethod
    def _is_switched(cls, name: str, value: Any) -> bool:
        if not isinstance(value, bool) or name not in cls.model_fields:
            return False
        kinds = _kinds(cls.model_fields[name].annotation)
        return (int in kinds or float in kinds) and bool not in kinds


def _kinds(annotation: Any) -> list[Any]:
    """What a field may be, in itself or as one of several."""
    return [annotation, *(kind for one in get_args(annotation) for kind in _kinds(one))]
