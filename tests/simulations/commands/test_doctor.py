"""`eyesoff doctor`: what it shows of what the inspection finds."""

import json

import pytest

from simulations import cli, inspection
from simulations.inspection import Finding

WELL = Finding("python", "ok", "3.11.7 [core]")
DOUBTFUL = Finding("memory", "warn", "3 GiB free", "run fewer at a time", {"available_gib": 3.0})
ILL = Finding("audio", "fail", "torchaudio does not load", "run `make install`")


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def run(findings: list[Finding], *arguments: str) -> tuple[object, str]:
        monkeypatch.setattr(inspection, "inspect", lambda *_, **__: iter(findings))
        with pytest.raises(SystemExit) as left:
            cli.main(["doctor", *arguments])
        return left.value.code, capsys.readouterr().out

    return run


def test_each_finding_is_a_row_with_its_remedy(doctor) -> None:
    status, shown = doctor([WELL, DOUBTFUL])
    assert status == 0
    assert [line.split() for line in shown.splitlines()] == [
        ["ok", "python", "3.11.7", "[core]"],
        ["warn", "memory", "3", "GiB", "free"],
        ["->", "run", "fewer", "at", "a", "time"],
    ]


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_a_failure_is_status_1_and_a_warning_is_not(arguments: list[str], doctor) -> None:
    assert doctor([WELL, ILL], *arguments)[0] == 1
    assert doctor([WELL, DOUBTFUL], *arguments)[0] == 0


def test_json_is_one_object_with_the_verdict_and_every_finding(doctor) -> None:
    _, shown = doctor([DOUBTFUL, ILL], "--json")
    answer = json.loads(shown)
    assert (answer["ok"], [finding["sign"] for finding in answer["findings"]]) == (False, ["warn", "fail"])
    assert answer["findings"][0] == {
        "subject": "memory",
        "sign": "warn",
        "seen": "3 GiB free",
        "remedy": "run fewer at a time",
        "figures": {"available_gib": 3.0},
    }
