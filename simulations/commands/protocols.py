"""`eyesoff protocols`: which ways of cutting a corpus there are."""

from typing import TYPE_CHECKING, Any

from simulations.commands.listing import show
from simulations.commands.options import AsJson

if TYPE_CHECKING:
    from common.protocols import Protocol


def protocols(as_json: AsJson = False) -> None:
    """List the protocols: where each comes from, whether a campaign can keep to it, and what it cuts.

    Example: eyesoff protocols
    """
    from common.protocols import PROTOCOLS

    show("protocols", PROTOCOLS, _row, as_json)


def _row(one: "Protocol[Any]") -> dict[str, str]:
    return {"name": one.name, "campaign": "no" if one.cuts is None else "yes", "paper": one.paper, "about": one.about}
