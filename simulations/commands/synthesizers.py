"""`eyesoff synthesizers`: which ways of making speech from speech there are."""

from simulations.commands.listing import show, space_names
from simulations.commands.options import AsJson


def synthesizers(as_json: AsJson = False) -> None:
    """List the synthesizers: where each comes from, what leaves the place where it is fitted, and what it does.

    Example: eyesoff synthesizers
    """
    from common.synthesizers import SYNTHESIZERS

    rows = [
        {
            "name": one.name,
            "spaces": space_names(one.spaces),
            "reach": one.reach,
            "paper": one.paper,
            "released": one.released,
            "about": one.about,
        }
        for one in SYNTHESIZERS
    ]
    show("synthesizers", rows, SYNTHESIZERS, as_json)
