"""Nothing phones home: asked of Flower and Ray themselves, in processes that the command line starts."""

import subprocess
import sys

import pytest

from simulations import cli, telemetry

ASK_FLOWER = "from flwr.supercore.telemetry import FLWR_TELEMETRY_ENABLED as on; print(on == '1')"
ASK_RAY = "from ray._common.usage.usage_lib import usage_stats_enabled as on; print(on())"


def test_every_switch_is_thrown_whatever_was_set_before() -> None:
    environment = {"FLWR_TELEMETRY_ENABLED": "1", "HOME": "somewhere"}
    assert set(telemetry.still_on(environment)) == set(telemetry.SWITCHES)
    telemetry.switch_off(environment)
    assert environment == {**telemetry.SWITCHES, "HOME": "somewhere"}
    assert telemetry.still_on(environment) == []


@pytest.fixture
def environment_of_children(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    for name in telemetry.SWITCHES:
        monkeypatch.setenv(name, "1")
    with pytest.raises(SystemExit):
        cli.main(["--version"])
    capfd.readouterr()


@pytest.mark.usefixtures("environment_of_children")
@pytest.mark.parametrize("question", [ASK_FLOWER, ASK_RAY], ids=["flower", "ray"])
def test_a_process_started_from_the_command_line_is_quiet(question: str) -> None:
    said = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


@pytest.mark.parametrize("question", [ASK_FLOWER, ASK_RAY], ids=["flower", "ray"])
def test_the_question_can_be_answered_with_yes(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLWR_TELEMETRY_ENABLED", "1")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")
    said = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "True"
