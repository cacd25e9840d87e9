"""`eyesoff protocols`: which ways of cutting a corpus there are."""

from simulations.commands.listing import show
from simulations.commands.options import AsJson


def protocols(as_json: AsJson = False) -> None:
    """List the protocols: where each comes from, whether a campaign can keep to it, and what it cuts.

    Example: eyesoff protocols
    """
    from common.protocols import PROTOCOLS

    rows = [
        {"name": one.name, "campaign": "no" if one.cuts is None else "yes", "paper": one.paper, "about": one.about}
        for one in PROTOCOLS
    ]
    show("protocols", rows, PROTOCOLS, as_json)
