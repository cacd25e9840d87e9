"""`eyesoff synthesizers`: which ways of making speech from speech there are."""

from typing import TYPE_CHECKING, Any

from simulations.commands.listing import show, space_names
from simulations.commands.options import AsJson

if TYPE_CHECKING:
    from common.synthesizers import Synthesizer


def synthesizers(as_json: AsJson = False) -> None:
    """List the synthesizers: where each comes from, what leaves the place where it is fitted, and what it does.

    Example: eyesoff synthesizers
    """
    from common.synthesizers import SYNTHESIZERS

    show("synthesizers", SYNTHESIZERS, _row, as_json)


def _row(one: "Synthesizer[Any]") -> dict[str, str]:
    return {
        "name": one.name,
        "spaces": space_names(one.spaces),
        "reach": one.reach,
        "paper": one.paper,
        "released": one.released,
        "privacy": one.private or "none: its fit reads speech, and no mechanism stands between",
        "about": one.about,
    }
