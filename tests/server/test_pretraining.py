"""Pre-training: what a run directory holds, when it may be entered again, and what is shipped."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import torch

from common.config.tree import Config
from common.errors import UserError
from common.settings import FeatureConfig, NetworkConfig
from common.training.checkpoint import TENSORS, read_tensors
from common.training.phases import Interrupted
from common.training.pretrained import load_pretrained
from common.training.reporters import Reporter
from server.pretraining import Run, _as_stage, export, pretrain, pretraining_identity

SPEAKERS = range(101, 105)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Four speakers with one recording of two and a half seconds each, in LibriSpeech's layout."""
    folder = tmp_path_factory.mktemp("corpus") / "LibriSpeech"
    noise = np.random.default_rng(0)
    for speaker in SPEAKERS:
        place = folder / "train-clean-100" / str(speaker) / "1"
        place.mkdir(parents=True)
        soundfile.write(place / f"{speaker}-1-0000.flac", noise.normal(0, 0.05, 40_000), 16_000)
    return folder


def tiny(tmp_path, **changes):
    iterations = {"iterations": 4, "batch": 2}
    return Config.model_validate(
        {
            "network": {"width": 1 / 64, "noise": 8},
            "pretraining": {
                "autoencoder": {**iterations, "learning_rate": 1e-3},
                "adversarial": {
                    **iterations,
                    "generator_learning_rate": 1e-3,
                    "discriminator_learning_rate": 1e-3,
                    "average": 0.9,
                },
            },
            "runtime": {
                "device": "cpu",
                "precision": "fp32",
                "threads": 1,
                "workers": 1,
                "cache": str(tmp_path / "cache"),
            },
        }
        | changes
    )


def hash_of(result):
    return read_tensors(result)[1]["sha256"]


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    """A run that nothing interrupted."""
    folder = tmp_path_factory.mktemp("whole")
    pretrain(tiny(folder), root, folder / "run", command="eyesoff pretrain --of-this-test")
    return folder / "run"


def test_a_run_directory_holds_the_whole_story(whole):
    for name in ("config.toml", "command.txt", "identity.json", "log.txt", "metrics.jsonl"):
        assert (whole / name).stat().st_size > 0
    for stage in ("autoencoder", "adversarial"):
        assert list((whole / "pictures").glob(f"{stage}-*.png"))
        assert list((whole / "tensorboard" / stage).iterdir())
        assert [path.name for path in sorted((whole / "checkpoints" / stage).iterdir())] == ["00000003", "00000004"]
    rows = [json.loads(line) for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert [(row["stage"], row["step"]) for row in rows] == [
        (stage, step) for stage in ("autoencoder", "adversarial") for step in (1, 2, 3, 4)
    ]


def test_a_second_run_in_the_same_directory_is_refused(whole, root, tmp_path):
    with pytest.raises(UserError, match=r"begun here already.*--resume"):
        pretrain(tiny(tmp_path), root, whole)


def test_a_directory_of_something_else_is_refused(root, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="holds something else"):
        pretrain(tiny(tmp_path), root, tmp_path / "run", resume=True)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]


def test_a_finished_run_is_resumed_without_a_change(whole, root):
    before = hash_of(whole / "pretrained")
    assert hash_of(pretrain(tiny(whole.parent), root, whole, resume=True, command="another")) == before
    assert read_tensors(whole / "pretrained")[1]["command"] == "eyesoff pretrain --of-this-test"


def test_resuming_with_a_changed_seed_is_refused_with_the_difference(whole, root, tmp_path):
    with pytest.raises(UserError, match="seed: 0 stored, 7 asked for"):
        pretrain(tiny(tmp_path, seed=7), root, whole, resume=True)


def test_a_setting_of_a_later_stage_does_not_matter(whole, root, tmp_path):
    later = tiny(tmp_path, finetuning={"iterations": 5})
    assert pretrain(later, root, whole, resume=True) == whole / "pretrained"


def test_another_corpus_under_the_same_settings_is_refused(whole, root, tmp_path):
    other = tmp_path / "LibriSpeech"
    (other / "train-clean-100").mkdir(parents=True)
    for speaker in SPEAKERS[:3]:
        (other / "train-clean-100" / str(speaker)).symlink_to(root / "train-clean-100" / str(speaker))
    with pytest.raises(UserError, match="corpus:"):
        pretrain(tiny(tmp_path), other, whole, resume=True)


@pytest.mark.parametrize("cut", [2, 6])
def test_a_run_cut_in_either_stage_ends_with_the_same_weights(cut, whole, root, tmp_path):
    asked = iter(range(1, 10))
    with pytest.raises(Interrupted):
        pretrain(tiny(tmp_path), root, tmp_path / "run", stop=lambda: next(asked) == cut)
    assert not (tmp_path / "run" / "pretrained").exists()
    assert hash_of(pretrain(tiny(tmp_path), root, tmp_path / "run", resume=True)) == hash_of(whole / "pretrained")


KILLED = """
import os, signal, sys
from pathlib import Path
import torch
from common.config.tree import Config
from server.pretraining import pretrain
torch.set_num_threads(1)
asked = iter(range(1, 10))
def kill_at_the_third():
    if next(asked) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return False
pretrain(Config.model_validate_json(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), stop=kill_at_the_third)
"""


def test_a_killed_run_resumes_to_the_same_weights(whole, root, tmp_path):
    config, run = tiny(tmp_path), tmp_path / "run"
    words = [sys.executable, "-c", KILLED, config.model_dump_json(), str(root), str(run)]
    assert subprocess.run(words, check=False, env={**os.environ}, timeout=200).returncode == -signal.SIGKILL
    assert hash_of(pretrain(config, root, run, resume=True)) == hash_of(whole / "pretrained")


def test_few_utterances_are_a_warning_on_the_card(whole, root, tmp_path):
    assert read_tensors(whole / "pretrained")[1]["data"]["warnings"] == []
    idle = {"iterations": 0, "batch": 8}
    few = tiny(tmp_path, pretraining={"autoencoder": idle, "adversarial": idle})
    card = read_tensors(pretrain(few, root, tmp_path / "run"))[1]
    assert card["data"]["warnings"] == ["4 utterances fill a batch of 8 only by repetition"]


def test_what_is_exported_loads_and_is_nearly_the_same(whole, tmp_path):
    card = export(whole, tmp_path / "weights")
    config = tiny(tmp_path)
    full, shipped = (
        load_pretrained(folder, config.network, config.features, config.corpus.classes)
        for folder in (whole / "pretrained", tmp_path / "weights")
    )
    assert shipped.scaling == full.scaling
    with torch.no_grad():
        latents, condition = torch.randn(2, 8, generator=torch.Generator().manual_seed(0)), torch.zeros(2, 4)
        made = [pretrained.pair.generator(latents, condition) for pretrained in (full, shipped)]
    torch.testing.assert_close(*made, atol=1e-2, rtol=0)
    size, whole_size = ((folder / TENSORS).stat().st_size for folder in (tmp_path / "weights", whole / "pretrained"))
    assert size < 0.6 * whole_size
    for picture in card["pictures"].values():
        assert (tmp_path / "weights" / picture).stat().st_size > 0
    assert card["data"]["licence"].startswith("CC BY 4.0")
    assert card["data"]["speakers"] == 4
    assert card["command"] == "eyesoff pretrain --of-this-test"
    made = card["made_with"]
    assert (made["device"], made["precision"], made["threads"]) == ("cpu", "fp32", "1")


def test_weights_of_another_width_number_of_emotions_or_features_are_refused(whole, tmp_path):
    with pytest.raises(UserError, match=r"weights of another network.*\n.*linears.0.weight: 64x12 .* 128x12"):
        load_pretrained(whole / "pretrained", NetworkConfig(width=2 / 64, noise=8), FeatureConfig(), 4)
    with pytest.raises(UserError, match=r"weights of another network.*\n.*linears.0.weight: 64x12 .* 64x13"):
        load_pretrained(whole / "pretrained", NetworkConfig(width=1 / 64, noise=8), FeatureConfig(), 5)
    with pytest.raises(UserError, match=r"features\.hop: 256 stored, 128 asked for"):
        load_pretrained(whole / "pretrained", NetworkConfig(width=1 / 64, noise=8), FeatureConfig(hop=128), 4)


def test_what_pre_training_knows_nothing_of_does_not_define_it():
    plain = Config()
    loud = Config.model_validate({"finetuning": {"condition_gain": 12, "iterations": 3}})
    assert pretraining_identity(loud) == pretraining_identity(plain)
    assert pretraining_identity(Config(seed=1)) != pretraining_identity(plain)


@pytest.mark.parametrize("left", ["config.toml", "command.txt", ".identity.json.0a1b2c3d"])
def test_a_run_killed_in_its_first_moment_can_begin_again(tmp_path, left):
    (tmp_path / left).write_text("half")
    run = Run(tmp_path, tiny(tmp_path))
    run.check(resume=True)
    run.claim("eyesoff pretrain")
    assert json.loads((tmp_path / "identity.json").read_text()) == pretraining_identity(tiny(tmp_path))


def test_a_mistyped_folder_of_speech_does_not_claim_the_run_directory(tmp_path):
    with pytest.raises(UserError):
        pretrain(tiny(tmp_path), tmp_path / "nowhere", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_an_identity_that_cannot_be_read_is_one_line(root, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "identity.json").write_text("{")
    with pytest.raises(UserError, match=r"cannot read what this run is: .*identity.json"):
        pretrain(tiny(tmp_path), root, tmp_path / "run", resume=True)


def test_a_stage_that_is_counted_begins_once_and_is_told_in_twenty_steps():
    told = []
    console = Reporter()
    console.begin = lambda stage, first, iterations: told.append((stage, first, iterations))
    console.record = lambda stage, step, metrics: told.append(step)
    progress = _as_stage("features", console)
    for done in range(1, 101):
        progress(done, 100)
    assert told == [("features", 0, 100), *range(5, 101, 5)]
