"""`eyesoff recognizers`: which models that hear emotion there are."""

from typing import TYPE_CHECKING, Any

from simulations.commands.listing import show, space_names
from simulations.commands.options import AsJson

if TYPE_CHECKING:
    from common.recognizers import Recognizer


def recognizers(as_json: AsJson = False) -> None:
    """List the recognizers: what examples each reads, and what it does.

    Example: eyesoff recognizers
    """
    from common.recognizers import RECOGNIZERS

    show("recognizers", RECOGNIZERS, _row, as_json)


def _row(one: "Recognizer[Any]") -> dict[str, str]:
    return {"name": one.name, "spaces": space_names(one.spaces), "about": one.about}
