"""`eyesoff keeper accept`; what is proposed and written is shown in tests/client/test_accepting.py."""

import pytest

from simulations import cli


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        cli.main(["keeper", "accept", *map(str, arguments)])
    return left.value.code, *capsys.readouterr()


@pytest.fixture
def policy(site_file):
    site_file.write_text(site_file.read_text() + 'policy = "policy.toml"\n')
    path = site_file.with_name("policy.toml")
    path.write_text("")
    return path


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text("[finetuning]\niterations = 1001\n")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "# the recipe of spring\n",
        "seed = 3\n",
        "[methods]\n",
        '[methods]\nrecognizer = "svm"\n',  # which sites do not run
        '[corpus]\nname = "builtin"\n',
        "[gaussian]\nepsilon = 4.0\n",  # of another synthesizer than the default one
    ],
)
def test_a_file_that_sets_nothing_of_a_recipe_is_none(capsys, site_file, policy, recipe, text):
    recipe.write_text(text)
    status, _, err = run(capsys, "recipe", recipe, "--site", site_file, "--yes")
    assert (status, err.count("\n"), "sets nothing that a recipe is made of" in err) == (2, 1, True)
    assert policy.read_text() == ""


@pytest.mark.parametrize(
    "text", ["[finetuning]\niterations = 1001\n", '[methods]\nsynthesizer = "gaussian"\n[gaussian]\nepsilon = 4.0\n']
)
def test_a_file_that_sets_something_of_it_is_accepted(capsys, site_file, policy, recipe, text):
    recipe.write_text(text)
    assert run(capsys, "recipe", recipe, "--site", site_file, "--yes")[0] == 0
    assert policy.read_text().startswith("recipes = [")


def test_an_answer_of_no_changes_nothing(capsys, site_file, policy, recipe, monkeypatch):
    monkeypatch.setattr("typer.confirm", lambda question: False)
    status, told, _ = run(capsys, "recipe", recipe, "--site", site_file)
    assert status == 1
    assert told.splitlines()[-1] == f"nothing was accepted: {policy} is as it was"
    assert policy.read_text() == ""


def test_another_user_than_the_policys_may_read_and_not_accept(capsys, site_file, policy, recipe, monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: policy.stat().st_uid + 1)
    status, told, err = run(capsys, "recipe", recipe, "--site", site_file, "--yes")
    assert (status, "these files belong to user" in err, "iterations = 1001" in told) == (2, True, True)
    assert policy.read_text() == ""
