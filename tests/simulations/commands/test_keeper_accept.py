"""`eyesoff keeper accept`; what is proposed and written is shown in tests/client/test_accepting.py."""

import pytest

from simulations import cli


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        cli.main(["keeper", "accept", *map(str, arguments)])
    return left.value.code, *capsys.readouterr()


def test_an_empty_file_is_no_recipe_and_an_answer_of_no_changes_nothing(capsys, site_file, tmp_path, monkeypatch):
    policy, empty = tmp_path / "policy.toml", tmp_path / "empty.toml"
    policy.write_text("")
    empty.write_text("\n")
    site_file.write_text(site_file.read_text() + 'policy = "policy.toml"\n')
    status, _, err = run(capsys, "recipe", empty, "--site", site_file)
    assert (status, err.count("\n"), "the file is empty" in err) == (2, 1, True)
    empty.write_text("[finetuning]\niterations = 1001\n")
    monkeypatch.setattr("typer.confirm", lambda question: False)
    status, told, _ = run(capsys, "recipe", empty, "--site", site_file)
    assert status == 1
    assert told.splitlines()[-1] == f"nothing was accepted: {policy} is as it was"
    assert policy.read_text() == ""
