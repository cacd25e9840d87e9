"""Keys between sites lie where nobody else can read them, and are never replaced unseen."""

import pytest

from client.peers import Peers, new_key, read_key, write_key
from common.errors import UserError

KEY = bytes(range(32))


def test_what_one_steward_made_is_what_both_sites_share(tmp_path):
    write_key(tmp_path / "b.key", KEY)
    Peers(tmp_path / "a").keep("b", KEY, of="a")
    Peers(tmp_path / "b").keep("a", read_key(tmp_path / "b.key"), of="b")
    assert Peers(tmp_path / "a").key("b") == Peers(tmp_path / "b").key("a") == KEY
    assert (Peers(tmp_path / "a").names(), Peers(tmp_path / "none").names()) == (("b",), ())
    assert Peers(tmp_path / "a").key("c") is None
    assert (tmp_path / "a" / "peers" / "b").stat().st_mode & 0o777 == 0o600


def test_no_two_are_alike():
    assert len({new_key() for _ in range(100)}) == 100


def test_a_key_that_is_there_is_kept(tmp_path):
    Peers(tmp_path).keep("b", KEY)
    with pytest.raises(UserError, match="there is a key for b already"):
        Peers(tmp_path).keep("b", bytes(32))
    assert Peers(tmp_path).key("b") == KEY


def test_another_user_than_the_keepers_leaves_none_that_it_could_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(UserError, match="these files belong to user"):
        Peers(tmp_path).keep("b", KEY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../b", "b/c", ".b", "b c", "x" * 65, "a"])
def test_what_is_not_another_sites_name_has_no_key(tmp_path, name):
    with pytest.raises(UserError, match="not the name of another site"):
        Peers(tmp_path).keep(name, KEY, of="a")


def test_one_that_others_can_read_or_that_is_damaged_is_not_trusted(tmp_path):
    path = tmp_path / "key"
    write_key(path, KEY)
    assert read_key(path) == KEY
    path.chmod(0o640)
    with pytest.raises(UserError, match=r"others can read a key: .*chmod 600"):
        read_key(path)
    path.chmod(0o600)
    path.write_text("half")
    with pytest.raises(UserError, match="a key is empty or damaged"):
        read_key(path)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(UserError, match="put a plain file there, not a link"):
        read_key(tmp_path / "link")
