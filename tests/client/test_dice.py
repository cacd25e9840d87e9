"""A site's draws come from a secret of its own, which is read with suspicion and made once."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.dice import BYTES, Dice, read_dice, write_secret
from common.errors import UserError

SECRET, OTHER = b"a" * BYTES, b"b" * BYTES


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "secret"


class TestSeeds:
    """What grows from a secret."""

    def test_the_same_secret_run_and_session_give_the_same_seed_and_any_other_another(self):
        dice = Dice(SECRET)
        seeds = [
            dice.tuning("run-1", "03+08"),
            dice.tuning("run-2", "03+08"),
            dice.tuning("run-1", "10+09"),
            Dice(OTHER).tuning("run-1", "03+08"),
            dice.scoring("run-1"),
        ]
        assert len(set(seeds)) == len(seeds)
        assert Dice(SECRET).tuning("run-1", "03+08") == seeds[0]

    def test_names_that_are_alike_when_they_stand_together_give_different_seeds(self):
        assert Dice(SECRET).tuning("run-1", "1") != Dice(SECRET).tuning("run-", "11")

    @given(run=st.text(), session=st.text())
    def test_a_seed_is_one_that_every_generator_takes(self, run, session):
        assert 0 <= Dice(SECRET).tuning(run, session) < 2**63

    def test_the_secret_is_not_shown_with_the_dice(self):
        assert "aaa" not in repr(Dice(SECRET))
        assert SECRET.hex() not in str(Dice(SECRET))


class TestSecret:
    """The file that it lies in."""

    def test_what_was_written_is_read(self, path):
        write_secret(path, SECRET)
        assert read_dice(path) == Dice(SECRET)

    def test_it_is_its_owners_alone_whatever_the_umask_allows(self, path):
        before = os.umask(0)
        try:
            write_secret(path)
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_no_two_sites_have_the_same(self, path):
        write_secret(path)
        write_secret(path.with_name("other"))
        assert read_dice(path) != read_dice(path.with_name("other"))

    def test_one_that_a_steward_made_by_hand_is_read(self, path):
        write_secret(path, SECRET)
        path.write_text(SECRET.hex().upper())  # without an end of line
        assert read_dice(path) == Dice(SECRET)


BROKEN = {
    "missing": (lambda path: None, "the site's secret is missing: {path}; .*openssl rand -hex 32"),
    "readable by others": (lambda path: written(path, mode=0o604), "others can read the site's secret: {path}; chmod"),
    "readable by the group": (lambda path: written(path, mode=0o640), "others can read the site's secret"),
    "writable by others": (lambda path: written(path, mode=0o602), "others can read the site's secret"),
    "empty": (lambda path: written(path, b""), "empty or damaged: {path}; 64 hexadecimal digits are wanted"),
    "cut": (lambda path: written(path, SECRET.hex()[:-2].encode()), "empty or damaged"),
    "too long": (lambda path: written(path, (SECRET + b"a").hex().encode()), "empty or damaged"),
    "not spelled": (lambda path: written(path, SECRET), "empty or damaged"),
    "no text": (lambda path: written(path, bytes([255]) * 64), "empty or damaged"),
    "a link": (lambda path: linked(path), "cannot be read: {path}; put a plain file there, not a link"),
    "a link to nothing": (lambda path: path.symlink_to("nowhere"), "put a plain file there, not a link"),
    "a pipe": (lambda path: os.mkfifo(path, 0o600), "the site's secret is no plain file: {path}"),
    "a folder": (lambda path: path.mkdir(mode=0o700), "the site's secret is no plain file: {path}"),
}


def written(path: Path, content: bytes = SECRET.hex().encode(), mode: int = 0o600) -> None:
    path.write_bytes(content)
    path.chmod(mode)


def linked(path: Path) -> None:
    written(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


@pytest.mark.parametrize(("spoil", "told"), BROKEN.values(), ids=BROKEN)
def test_a_secret_that_cannot_be_trusted_is_one_clear_error_and_stays_as_it_is(path, spoil, told):
    path.parent.mkdir()
    spoil(path)
    before = sorted(path.parent.iterdir())
    with pytest.raises(UserError, match=told.format(path=path)) as refused:
        read_dice(path)
    assert len(str(refused.value).splitlines()) == 1
    assert SECRET.hex()[:16] not in str(refused.value)
    assert sorted(path.parent.iterdir()) == before


def test_a_plain_file_in_their_place_is_read(path):
    """A control for all of them."""
    path.parent.mkdir()
    written(path)
    assert read_dice(path) == Dice(SECRET)
