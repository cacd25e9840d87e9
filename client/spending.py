"""What a site has promised of differential privacy in its whole life, kept beside the ledger and apart from it.

Owns that file. Must not know a policy. A ledger may be lost, and a steward may let a new one begin: what was told of
the speech stays told, so the ledger's entries and this file count together.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from common.errors import UserError
from common.files import atomic_json

SPENT = "privacy.json"


class Spending:
    """By piece of work, sensitivity over noise of what it released."""

    def __init__(self, ledger: Path) -> None:
        self.path = ledger.with_name(SPENT)

    def read(self) -> dict[str, float]:
        """All of it; a file that cannot be read spends nothing more, rather than all of it again."""
        try:
            told = json.loads(self.path.read_text(encoding="utf-8"))
            return {str(work): float(signal) for work, signal in told["works"].items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            remedy = f"{error}; bring it back from a copy: without it nobody knows what the site has told"
            raise UserError("what was spent of privacy cannot be read", where=self.path, remedy=remedy) from None

    def add(self, works: Mapping[str, float]) -> None:
        """Nothing is ever taken out."""
        known = self.read()
        if works.keys() - known.keys():
            atomic_json(self.path, {"works": dict(works) | known})
