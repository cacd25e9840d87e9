"""A file is whole or absent, whatever happens while it is written."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from common.errors import UserError
from common.files import atomic_json, atomic_write, locked, open_own, write_through


def fail_half_way(error: BaseException):
    def write(stream: BinaryIO) -> None:
        stream.write(b"half of it")
        raise error

    return write


def test_content_arrives_and_the_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.bin"
    atomic_write(path, b"\x00\xff")
    assert path.read_bytes() == b"\x00\xff"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_may_be_read_by_whom_the_folder_allows(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    atomic_write(tmp_path / "atomic", b"")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_full_disk_leaves_the_old_file_and_no_trace_and_is_told_as_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file.bin"
    atomic_write(path, b"old")
    with pytest.raises(UserError, match=r"cannot write: .*file.bin; No space left on device"):
        write_through(path, fail_half_way(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))))
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == {path: b"old"}


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ValueError("not a number")], ids=["ctrl-c", "mistake"])
def test_anything_else_that_ends_the_writing_passes_through_and_leaves_no_trace(
    tmp_path: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        write_through(tmp_path / "file.bin", fail_half_way(error))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_made_is_told_as_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError, match="cannot write"):
        atomic_write(tmp_path / "file" / "below", b"")


def test_json_is_readable_and_refuses_what_json_does_not_know(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    atomic_json(path, {"a": [1, 2.5, "ä"]})
    assert json.loads(path.read_text()) == {"a": [1, 2.5, "ä"]}
    assert path.read_text().endswith("}\n")
    with pytest.raises(ValueError, match="JSON"):
        atomic_json(path, {"a": float("nan")})
    assert json.loads(path.read_text())["a"][0] == 1


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: path.symlink_to(path.with_name("elsewhere")), "it is a link"),
        (lambda path: path.symlink_to(path.with_name("nowhere")), "it is a link"),
        (os.mkfifo, "it is no plain file"),
        (Path.mkdir, "Is a directory"),
    ],
    ids=["link", "link to nothing", "pipe", "folder"],
)
def test_what_is_no_file_of_ones_own_is_neither_opened_nor_locked_nor_changed(
    tmp_path: Path, make: Callable[[Path], None], why: str
) -> None:
    (tmp_path / "elsewhere").write_bytes(b"speech")
    make(tmp_path / "file")
    with pytest.raises(OSError, match=why):
        open_own(tmp_path / "file")
    with pytest.raises(UserError, match=f"cannot open the lock: .*file; {why}"), locked(tmp_path / "file"):
        pytest.fail("held")
    assert {path.name for path in tmp_path.iterdir()} == {"elsewhere", "file"}
    assert (tmp_path / "elsewhere").read_bytes() == b"speech"


def test_a_file_of_ones_own_is_its_owners_alone_and_is_not_cut_short_by_opening(tmp_path: Path) -> None:
    for content in (b"", b"kept"):
        with os.fdopen(open_own(tmp_path / "file"), "r+b") as stream:
            assert stream.read() == content
            stream.write(b"kept")
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    with locked(tmp_path / "file"):
        assert (tmp_path / "file").read_bytes() == b"keptkept"


def test_a_lock_is_held_by_one_and_can_be_had_again(tmp_path: Path) -> None:
    for _ in range(2):
        with (
            locked(tmp_path / "new" / "lock", wait=False),
            pytest.raises(UserError, match=r"another process is at work here: .*lock; stop it first"),
            locked(tmp_path / "new" / "lock", wait=False),
        ):
            pytest.fail("held twice")


def test_a_place_below_a_file_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=r"cannot write: .*file/below; Not a directory"):
        atomic_write(tmp_path / "file" / "below", b"")
    with pytest.raises(UserError, match=r"cannot open the lock: .*Not a directory"), locked(tmp_path / "file" / "lock"):
        pytest.fail("held")
