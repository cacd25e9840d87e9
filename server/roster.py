"""Who answers for which session: a site's name belongs to its key.

Owns the rule by which names are given, and the file in which whoever knows the keys says which client holds which
session. Must not know how a client is reached, nor how anybody came to know its key.

`eyesoff deploy run` writes the file, from the SuperLink's register. Without it nobody here can tell who is who: then a
name that two clients give is nobody's until somebody writes the file.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from common.errors import UserError
from common.files import atomic_json

HOLDERS = "holders.json"
_FORM = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class Claim:
    """What a client says to be, and why that is not granted, if so."""

    client: str
    session: str
    reason: str = ""


@dataclass(frozen=True)
class Roster:
    """Session to client; what was not granted; and whom to tell that its name was disputed."""

    clients: Mapping[str, str]
    refused: tuple[Claim, ...] = ()
    disputed: tuple[Claim, ...] = ()


def write_holders(folder: Path, holders: Mapping[str, str]) -> None:
    """Say which client holds which session: client to session."""
    atomic_json(folder / HOLDERS, dict(sorted(holders.items())))


def read_holders(folder: Path) -> dict[str, str] | None:
    """Client to session; None where nobody has said anything."""
    path = folder / HOLDERS
    if not path.exists():
        return None
    try:
        return _FORM.validate_json(path.read_bytes(), strict=True)
    except (OSError, ValidationError):
        remedy = "`eyesoff deploy run` writes it anew; by hand it is {client: session}"
        raise UserError("cannot read which client holds which session", where=path, remedy=remedy) from None


def given_names(claims: Sequence[Claim], holders: Mapping[str, str] | None) -> Roster:
    """Give each session to the one client that it belongs to, or to nobody."""
    claimants: dict[str, list[str]] = defaultdict(list)
    for claim in claims:
        claimants[claim.session].append(claim.client)
    judged = [
        Claim(claim.client, claim.session, _objection(claim, claimants[claim.session], holders)) for claim in claims
    ]
    granted = {claim.session: claim.client for claim in judged if not claim.reason}
    refused = tuple(claim for claim in judged if claim.reason)
    here = {claim.client for claim in claims}
    owners = {session: client for client, session in (holders or {}).items() if client in here}
    robbed = [Claim(owners[name], name) for name in dict.fromkeys(claim.session for claim in refused) if name in owners]
    disputed = dict.fromkeys((*(Claim(claim.client, claim.session) for claim in refused), *robbed))
    return Roster(granted, refused, tuple(disputed))


def _objection(claim: Claim, claimants: Sequence[str], holders: Mapping[str, str] | None) -> str:
    if holders is not None:
        owned = holders.get(claim.client)
        if owned is None:
            return f"it says to be {claim.session}, and its key is that of no site that is known"
        if owned != claim.session:
            return f"it says to be {claim.session}, and its key is that of {owned}"
        claimants = [client for client in claimants if holders.get(client) == claim.session]
    if len(claimants) > 1:
        others = ", ".join(client for client in claimants if client != claim.client)
        return f"it says to be {claim.session}, and so does {others}: say in {HOLDERS} who it is"
    return ""
