"""A file is whole or absent, whatever happens while it is written."""

import errno
import json
import os
from pathlib import Path
from typing import BinaryIO

import pytest

from common.errors import UserError
from common.files import atomic_json, atomic_write, write_through


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
