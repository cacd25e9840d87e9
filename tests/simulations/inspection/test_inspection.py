"""All questions together, on the machine that runs the tests."""

from pathlib import Path

from simulations.inspection import inspect, machine


def test_every_question_is_answered_once_and_every_trouble_has_a_remedy(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(machine, "SECONDS", 0.01)
    findings = list(inspect(tmp_path, tmp_path))
    subjects = [finding.subject for finding in findings]
    assert len(set(subjects)) == len(subjects) == 14
    assert all(finding.remedy for finding in findings if finding.sign != "ok")
    assert all(finding.seen for finding in findings)
