"""A site's policy file is read strictly, and all its mistakes are told together."""

import pytest

from client.bases import read_base
from client.bounds import Bounds
from client.policy import Policy, load_policy
from client.recipes import recipe_of
from common.config.loading import PRESETS, load_config
from common.errors import UserError
from common.training.pretrained import SHIPPED, shipped_weights
from common.wire import Precision


def test_without_a_file_the_default_holds():
    policy = load_policy(None)
    assert policy == Policy()
    assert not policy.tell_counts
    assert not policy.per_speaker
    assert policy.minimum_speakers == 2
    assert policy.minimum_test_utterances == 50
    assert policy.scoring_epsilon == 0.26


def test_the_default_grants_the_networks_and_the_recipes_that_come_with_eyesoff_and_no_others():
    policy = load_policy(None)
    assert policy.bases == tuple(read_base(shipped_weights(preset)).digest for preset in SHIPPED)
    assert set(policy.recipes) == {recipe_of(load_config(preset)).digest for preset in PRESETS}
    assert Precision.FP32 not in policy.precisions


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('bases = []\nprecisions = ["fp16"]\nallow = ["release"]\n[bounds]\nsteps = [500, 500]\n')
    policy = load_policy(path)
    assert policy.bases == ()
    assert policy.bounds == Bounds(steps=(500, 500))
    assert policy.precisions == (Precision.FP16,)
    assert policy.allow == ("release",)
    assert policy.recipes == Policy().recipes


def test_every_mistake_is_told_with_its_place(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text(
        'allow = ["release", "waveforms"]\nminutes_a_request = 0\nminimum_speaker = 3\ntell_counts = "sometimes"\n'
    )
    with pytest.raises(UserError) as caught:
        load_policy(path)
    told = str(caught.value).splitlines()
    assert told[0] == f"{path}: 4 mistakes"
    assert [line.split(":")[0].strip(" -") for line in told[1:]] == [
        "allow.1",
        "minutes_a_request",
        "tell_counts",
        "minimum_speaker",
    ]
    assert "minimum_speakers" in told[4]  # the names that exist are listed


@pytest.mark.parametrize("text", ['"exact"', "0.01", "4"])
def test_noise_on_counts_has_an_epsilon_or_there_is_none(tmp_path, text):
    path = tmp_path / "policy.toml"
    path.write_text(f"scoring_epsilon = {text}\n")
    assert str(load_policy(path).scoring_epsilon) in (text.strip('"'), f"{text}.0")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f'bases = ["{"0" * 63}"]', "bases.0"),
        (f'bases = ["{"0" * 64}", "{"A" * 64}"]', "bases.1"),
        (f'recipes = ["{"0" * 65}"]', "recipes.0"),
        ('recipes = ["demo"]', "recipes.0"),
        ("[bounds]\nbatch = [16, 15]", "bounds.batch: .*the lid 15 is below the floor 16"),
        ("[bounds]\nbeta1 = [nan, 0.9]", "bounds.beta1"),
        ("[bounds]\nbeta1 = [0.3, nan]", "bounds.beta1"),
        ("[bounds]\nbatch = [16]", "bounds.batch"),
        ("[bounds]\nbatches = [16, 32]", "bounds.batches"),
        ('scoring_epsilon = "none"', "scoring_epsilon"),
        ("scoring_epsilon = 0", "scoring_epsilon"),
        ("scoring_epsilon = nan", "scoring_epsilon"),
        ("scoring_epsilon = inf", "scoring_epsilon"),
        ("gibibytes_of_state = nan", "gibibytes_of_state"),
        ("gibibytes_of_state = 0", "gibibytes_of_state"),
        ("releases_in_all = -1", "releases_in_all"),
    ],
)
def test_a_rule_that_makes_no_sense_is_one_mistake(tmp_path, text, told):
    path = tmp_path / "policy.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=f"(?s): 1 mistake\\n.*{told}"):
        load_policy(path)


def test_a_wrong_epsilon_is_told_what_it_may_be(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('scoring_epsilon = "none"')
    with pytest.raises(UserError, match=r"scoring_epsilon: neither a number .* nor 'exact' \(given: 'none'\)$"):
        load_policy(path)


@pytest.mark.parametrize(("text", "told"), [("steps = ", "not valid TOML"), (None, "no such policy")])
def test_a_file_that_cannot_be_read_is_named(tmp_path, text, told):
    path = tmp_path / "policy.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match=f"{told}: .*policy.toml"):
        load_policy(path)
