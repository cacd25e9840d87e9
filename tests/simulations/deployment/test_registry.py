"""The book of names: what it cannot say is one line."""

from pathlib import Path

import pytest

from common.errors import UserError
from simulations.deployment.registry import Registry


class Link:
    """A SuperLink with one site."""

    def ask(self, words: list[str]) -> dict[str, object]:
        return {"nodes": [{"node-id": 7, "status": "online"}]}


def names(book: Path) -> list[str]:
    return [node.name for node in Registry(Link(), book).nodes()]


def test_a_number_has_the_name_that_the_book_gives_it(tmp_path: Path) -> None:
    assert names(tmp_path / "book.json") == [""]
    (tmp_path / "book.json").write_text('{"clinic": "7"}')
    assert names(tmp_path / "book.json") == ["clinic"]


@pytest.mark.parametrize("damaged", ["{", "[]", '{"clinic": 7}'])
def test_a_damaged_book_is_one_line(damaged: str, tmp_path: Path) -> None:
    (tmp_path / "book.json").write_text(damaged)
    with pytest.raises(UserError, match=r"cannot read the names of sites: .*book\.json"):
        names(tmp_path / "book.json")
