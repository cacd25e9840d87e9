"""What the images are made of: locked packages, a pinned base, no root, and for each role no more than it needs."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "containers" / "Dockerfile").read_text()
LOCKS = ("keeper", "relay", "server", "tools")
STAGES = dict(re.findall(r"^FROM \S+ AS (\S+)\n((?:(?!^FROM ).*\n)*)", DOCKERFILE, re.MULTILINE))


def locked(path):
    """Name and version to hashes."""
    found = {}
    for block in re.split(r"\n(?=[a-z0-9])", path.read_text()):
        if matched := re.match(r"([a-z0-9._-]+)==(\S+)", block):
            found[matched.groups()] = set(re.findall(r"sha256:[0-9a-f]{64}", block))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_an_images_packages_are_the_projects_locked_ones_with_their_hashes(name):
    whole, part = locked(ROOT / "requirements.lock"), locked(ROOT / "containers" / f"{name}.lock")
    assert part
    assert {one: hashes for one, hashes in part.items() if not hashes or whole.get(one) != hashes} == {}


def test_each_role_holds_no_more_than_it_needs():
    names = {name: {package for package, _ in locked(ROOT / "containers" / f"{name}.lock")} for name in LOCKS}
    assert "torch" in names["keeper"] & names["server"]
    assert "flwr" in names["relay"] & names["server"]
    assert not {"flwr", "ray", "cryptography", "grpcio-health-checking"} & names["keeper"]
    assert not {"torch", "ray", "librosa"} & names["relay"]
    assert not {"pytest", "ruff", "hatchling"} & (names["keeper"] | names["relay"] | names["server"])
    assert "uv" not in names["keeper"]  # Flower brings its own, which it is told not to use


def test_end_images_are_not_root_and_hold_no_build_tools():
    for name in ("relay", "keeper", "server"):
        assert re.search(rf"^FROM bare AS {name}$", DOCKERFILE, re.MULTILINE)
        assert not re.search(r"^RUN", STAGES[name], re.MULTILINE)
        assert "/build" not in STAGES[name]
    assert STAGES["bare"].rstrip().endswith("USER 10001:10001")


def test_the_base_is_an_argument_with_a_pinned_default():
    default = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE, re.MULTILINE)[1]
    assert re.fullmatch(r"python:3\.11\.\d+-slim-\w+", default)
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE).count("${BASE}") == 2


def test_every_package_is_checked_by_hash():
    installs = re.findall(r"(?:pip install|pip sync) [^\n\\]*", DOCKERFILE)
    assert len(installs) == 5
    assert all("--require-hashes" in line or "/build/wheel/*.whl" in line for line in installs)


def test_the_relays_code_needs_neither_torch_nor_anything_of_the_keepers():
    pytest.importorskip("flwr", reason="Flower is an extra")
    code = "import sys, client.app; print(sorted({'torch', 'librosa', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_the_keepers_image_holds_all_that_serving_imports():
    copied = set(re.findall(r"/opt/eyesoff/(\w+)$", STAGES["keeper"], re.MULTILINE))
    code = """
import sys
import client.keeper, client.service, client.journal, simulations.cli
print(sorted({name.partition(".")[0] for name in sys.modules} & {"client", "common", "server", "simulations", "flwr"}))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(sorted(copied)), done.stdout + done.stderr
