"""Generators are opened with all that gives their samples a meaning, or refused for a reason that is named."""

import shutil

import pytest
import torch

from common.config import Config, FeatureConfig
from common.config.showing import as_toml
from common.errors import UserError
from common.settings import hash_identity
from common.training.checkpoint import save_tensors
from common.wire import Card, Release
from server.bank import Bank
from server.generators import open_generator


def refusal(path):
    with pytest.raises(UserError) as refused:
        open_generator(path)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_release_brings_its_papers(release_file, release):
    opened = open_generator(release_file)
    assert opened.tuned
    assert opened.origin.name == release_file.stem
    assert opened.origin.sha256.startswith(release_file.stem.removeprefix("03+08-"))
    assert (opened.origin.scaling.low, opened.origin.scaling.high) == (-16.0, 5.5)
    assert opened.origin.labels == release.card.tuning.labels
    assert opened.origin.features == FeatureConfig()


def test_a_release_opens_wherever_it_lies_with_its_card(release_file, tmp_path):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "other.json").write_text("{}")
    for path in (release_file, release_file.with_suffix(".json")):
        shutil.copy(path, tmp_path / "mail")
    assert open_generator(tmp_path / "mail" / release_file.name).tuned


def test_pre_trained_networks_open_by_their_folder_and_know_no_emotion(pretrained_folder):
    opened = open_generator(pretrained_folder)
    assert not opened.tuned
    assert (opened.origin.name, opened.origin.scaling.high) == ("pretrained", 4.0)
    patches = opened.sampler.sample(torch.tensor([-1]), torch.Generator().manual_seed(0))
    assert patches.shape == (1, 1, 128, 128)


def other_release(release, tmp_path, features):
    tuning = release.card.tuning.model_copy(update={"features": hash_identity(features.model_dump(mode="json"))})
    bank = Bank(tmp_path / "run" / "bank")
    card = Card(tuning=tuning, known=(True,) * 4, utterances=None, seconds=3)
    return bank.files(bank.add(Release(card=card, released=release.released)))[1]


def test_unusual_features_are_found_in_the_configuration_of_the_run(release, tmp_path):
    features = FeatureConfig(hop=128)
    path = other_release(release, tmp_path, features)
    assert f"put its run's config.toml in {tmp_path / 'run'}" in refusal(path)
    (tmp_path / "run" / "config.toml").write_text(as_toml(Config(features=features)))
    assert open_generator(path).origin.features == features


def test_a_truncated_release_is_named(release_file):
    release_file.write_bytes(release_file.read_bytes()[:1000])
    assert "cut or grown: 1000 bytes" in refusal(release_file)
    assert str(release_file) in refusal(release_file)


def test_a_release_needs_its_card_and_no_other(release_file):
    card = release_file.with_suffix(".json")
    words = card.read_text()
    card.unlink()
    assert refusal(release_file).startswith("a release without its card")
    card.write_text("{")
    assert refusal(release_file).startswith("the card of a release cannot be read")
    card.write_text(words.replace(release_file.stem, "03+08-another"))
    assert "its card is that of 03+08-another" in refusal(release_file)


def test_a_truncated_pre_trained_file_is_named(pretrained_folder):
    tensors = pretrained_folder / "tensors.safetensors"
    tensors.write_bytes(tensors.read_bytes()[:-1])
    assert refusal(pretrained_folder).startswith("truncated or altered: its hash")


def test_a_pickle_is_never_opened(tmp_path):
    torch.save({"a": torch.zeros(1)}, tmp_path / "generator.pt")
    assert refusal(tmp_path / "generator.pt").startswith("a pickle is not read")


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    save_tensors(tmp_path / "recognizer", {"weight": torch.zeros(1)}, {"labels": ["sad", "happy"]})
    assert refusal(tmp_path / "recognizer").startswith("not pre-trained networks")


def test_a_bank_is_told_from_a_generator(release_file):
    assert refusal(release_file.parent) == (
        f"a bank, not a generator: {release_file.parent}; name a file in it, such as {release_file}"
    )


def test_what_is_no_generator_is_told_what_could_be_named(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "thesis.tex").write_text("no generator")
    for place, what in [
        ("none.safetensors", "no such release, bank or networks"),
        ("nowhere", "no such release, bank or networks"),
        ("folder", "a folder that holds neither a bank nor networks"),
        ("thesis.tex", "a file that is neither a release nor a bank"),
    ]:
        said = refusal(tmp_path / place)
        assert said.startswith(f"{what}: {tmp_path / place}; name a release by its .safetensors file, a bank by")
        assert "checkpoint" not in said


def test_a_release_of_vectors_says_that_its_bank_gives_a_training_set(vector_release, tmp_path):
    bank = Bank(tmp_path / "bank")
    path = bank.files(bank.add(vector_release))[1]
    assert refusal(path).endswith("; name its whole bank, which gives a training set of vectors")
