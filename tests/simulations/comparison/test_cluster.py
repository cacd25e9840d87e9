"""Units on a Ray cluster: the bits of local processes, though a node dies; one error where the cluster goes away."""

import io
import tarfile
import threading
import time

import pytest

pytest.importorskip("ray", reason="Ray comes with Flower, an extra")

from ray.cluster_utils import Cluster as Nodes

from common.errors import UserError
from common.training.pretrained import pretrained_hash
from common.version import VERSION
from simulations.comparison.cluster import _look, pack, unpack

ORDER = {"modes": ["real", "federated"], "backend": "ray"}


@pytest.fixture
def nodes(monkeypatch):
    """A head without processors and two nodes of one each, on loopback."""
    started = Nodes(initialize_head=True, head_node_args={"num_cpus": 0})
    monkeypatch.setenv("RAY_ADDRESS", started.address)
    yield started, [started.add_node(num_cpus=1) for _ in range(2)]
    end(started)


def end(started):
    """Every process of every node, the head's too."""
    for node in list(started.list_all_nodes()):
        node.kill_all_processes(check_alive=False, allow_graceful=False)


def on_first_unit(folder, act):
    """Do something once the first unit has come back."""

    def wait():
        while not list(folder.glob("*/*/card.json")):
            time.sleep(0.05)
        act()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    return thread


@pytest.mark.slow  # Ray's own processes take their time to appear
@pytest.mark.timeout(900)
def test_a_node_that_is_killed_in_the_middle_changes_no_result(nodes, comparing, whole, tmp_path):
    started, (first, _) = nodes
    killing = on_first_unit(tmp_path / "units", lambda: started.remove_node(first, allow_graceful=False))
    results = comparing(tmp_path / "run", units=tmp_path / "units", **ORDER)
    killing.join(60)
    assert not killing.is_alive()
    assert results["failures"] == []
    for name in ORDER["modes"]:
        assert results["counts"][name] == whole[0]["counts"][name]
        assert results["modes"][name] == whole[0]["modes"][name]


@pytest.mark.slow  # Ray's own processes take their time to appear
@pytest.mark.timeout(900)
def test_a_cluster_that_goes_away_is_one_error_and_the_same_command_goes_on(nodes, comparing, whole, tmp_path):
    started, _ = nodes
    ending = on_first_unit(tmp_path / "units", lambda: end(started))
    with pytest.raises(UserError, match=r"the Ray cluster is gone.*the same command goes on from here"):
        comparing(tmp_path / "run", units=tmp_path / "units", **ORDER)
    ending.join(60)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "units").glob("*/*/card.json")}
    assert kept
    results = comparing(tmp_path / "run", units=tmp_path / "units", modes=ORDER["modes"])
    assert results["failures"] == []
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for name in ORDER["modes"]:
        assert results["counts"][name] == whole[0]["counts"][name]


def test_without_a_cluster_there_is_one_error(comparing, monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with pytest.raises(UserError, match=r"no Ray cluster: 127\.0\.0\.1:1"):
        comparing(tmp_path / "run", units=tmp_path / "units", **ORDER)


def test_a_folder_that_travelled_is_the_same_and_stays_in_its_place(tmp_path):
    (tmp_path / "a" / "deep").mkdir(parents=True)
    (tmp_path / "a" / "card.json").write_text("{}")
    (tmp_path / "a" / "deep" / "weights").write_bytes(b"123")
    unpack(pack(tmp_path / "a"), tmp_path / "b")
    assert (tmp_path / "b" / "card.json").read_text() == "{}"
    assert (tmp_path / "b" / "deep" / "weights").read_bytes() == b"123"


def test_a_node_is_asked_for_its_version_the_speech_and_the_networks(weights, tmp_path):
    speech, sha256 = str(tmp_path), pretrained_hash(weights)
    assert _look(VERSION, speech, str(weights), sha256)[0] == ""
    assert _look("0.0.0", speech, str(weights), sha256)[0] == f"has eyesoff {VERSION}, not 0.0.0"
    assert _look(VERSION, f"{speech}/gone", str(weights), sha256)[0] == f"lacks the speech in {speech}/gone"
    assert _look(VERSION, speech, f"{speech}/gone", sha256)[0] == f"lacks the networks in {speech}/gone"
    assert _look(VERSION, speech, str(weights), "0" * 64)[0] == f"has other networks in {weights}"


def test_what_would_lie_outside_its_folder_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x").write_text("1")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(tmp_path / "a" / "x", "../x")
    with pytest.raises(UserError, match="something else than a folder of files"):
        unpack(content.getvalue(), tmp_path / "b")
    assert not (tmp_path / "x").exists()
