"""The table of all attacks, from what their tests noted: printed, and put into the page beside this file.

Owns the table's form and place. Must not know any attack.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from common.files import atomic_write

PAGE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table: begin, written by `make attack-test` -->", "<!-- table: end -->"
MISSING = "–"


def table(found: Mapping[str, Mapping[str, str]]) -> str:
    """A row a finding: what it gave with the rule off, and what it gives with all rules on."""
    lines = ["| finding | test | rule off | rules on |", "|---|---|---|---|"]
    for finding, row in sorted(found.items()):
        test = row["test"]
        lines.append(f"| {finding} | [`{test}`]({test}) | {row.get('off', MISSING)} | {row.get('on', MISSING)} |")
    return "\n".join(lines)


def placed(page: str, rows: str) -> str:
    """The page with another table.

    >>> placed(f"a{BEGIN}old{END}b", "new").splitlines()[1:3]
    ['', 'new']
    """
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{rows}\n\n{END}{after}"


if __name__ == "__main__":
    rows = table(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    atomic_write(PAGE, placed(PAGE.read_text(encoding="utf-8"), rows).encode())
    sys.stdout.write(rows + "\n")
