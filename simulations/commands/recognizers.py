"""`eyesoff recognizers`: which models that hear emotion there are."""

from simulations.commands.listing import show, space_names
from simulations.commands.options import AsJson


def recognizers(as_json: AsJson = False) -> None:
    """List the recognizers: what examples each reads, and what it does.

    Example: eyesoff recognizers
    """
    from common.recognizers import RECOGNIZERS

    rows = [{"name": one.name, "spaces": space_names(one.spaces), "about": one.about} for one in RECOGNIZERS]
    show("recognizers", rows, RECOGNIZERS, as_json)
