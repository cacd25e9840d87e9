"""Room on disks and in shared memory: every sign."""

from pathlib import Path

import pytest

from simulations.inspection.finding import GIB
from simulations.inspection.space import disk, shared_memory


@pytest.mark.parametrize(("gib", "sign"), [(0.5, "fail"), (5, "warn"), (50, "ok")])
def test_free_disk_decides(gib: float, sign: str, tmp_path: Path) -> None:
    finding = disk(tmp_path, "runs", lambda _: int(gib * GIB))
    assert (finding.subject, finding.sign) == ("runs", sign)


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    asked = []
    disk(tmp_path / "a" / "b", "cache", lambda folder: asked.append(folder) or 50 * GIB)
    assert asked == [tmp_path]


def test_a_folder_that_may_not_be_written_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert disk(tmp_path, "runs").sign == "fail"


@pytest.mark.parametrize(("gib", "sign"), [(0.06, "warn"), (8, "ok")])
def test_a_containers_small_shared_memory_is_doubtful(gib: float, sign: str, tmp_path: Path) -> None:
    assert shared_memory(tmp_path, lambda _: int(gib * GIB)).sign == sign


def test_a_system_without_shared_memory_is_well(tmp_path: Path) -> None:
    assert shared_memory(tmp_path / "shm").sign == "ok"


def test_a_file_in_the_place_of_a_folder_fails(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("no folder")
    finding = disk(tmp_path / "cache", "cache", lambda _: 50 * GIB)
    assert (finding.sign, finding.seen) == ("fail", f"{tmp_path / 'cache'} is a file, not a folder")
