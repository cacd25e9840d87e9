"""What lies beside the results, to be looked at."""

import json

import torch
from safetensors.torch import load_file

EMOTIONS = ("neutral", "angry", "sad", "happy")


def test_the_index_names_what_is_there(whole):
    folder = whole[1] / "evidence"
    index = json.loads((folder / "index.json").read_text())
    assert (index["fold"], index["seed"], tuple(index["labels"])) == ("Session1", 0, EMOTIONS)
    assert index["scaling"] == {"low": -16.0, "high": 4.0}
    named = {row["file"] for row in (*index["curves"], *index["ledgers"])}
    assert named == {str(path.relative_to(folder)) for path in folder.glob("*/*.jsonl")}
    assert {row["session"] for row in index["ledgers"]} == {"Session1", "Session2", "Session3"}


def test_curves_are_rows_of_steps_and_ledgers_tell_of_one_generator_each(whole):
    folder = whole[1] / "evidence"
    index = json.loads((folder / "index.json").read_text())
    for row in index["curves"]:
        lines = [json.loads(line) for line in (folder / row["file"]).read_text().splitlines()]
        assert lines
        assert all(line["step"] <= 2 for line in lines)
    for row in index["ledgers"]:
        entries = [json.loads(line) for line in (folder / row["file"]).read_text().splitlines()]
        assert [entry["kind"] for entry in entries if entry["outcome"] == "sent" and entry["tensors"]] == ["release"]


def test_patches_of_every_mode_and_emotion_lie_beside_the_real_ones(whole):
    patches = load_file(whole[1] / "evidence" / "patches.safetensors")
    names = ("real", "centralized", "federated", "baseline", "floor")
    assert set(patches) == {f"{name}/{emotion}" for name in names for emotion in EMOTIONS}
    assert all(value.shape[1:] == (128, 128) and value.dtype == torch.float16 for value in patches.values())
    assert all(value.abs().max() <= 1 for value in patches.values())


def test_one_latent_is_shown_under_every_emotion(whole):
    paired = load_file(whole[1] / "evidence" / "paired.safetensors")
    assert set(paired) == {"centralized", "federated", "baseline", "floor"}
    assert paired["federated"].shape == (4, 4, 128, 128)
    assert torch.equal(paired["floor"][:, 0], paired["floor"][:, 1])
    assert not torch.equal(paired["federated"][:, 0], paired["federated"][:, 1])


def test_embeddings_have_a_label_each(whole):
    embeddings = load_file(whole[1] / "evidence" / "embeddings.safetensors")
    names = [name for name in embeddings if not name.endswith("/labels")]
    assert set(names) == {"real", "centralized", "federated", "baseline", "floor"}
    assert all(len(embeddings[name]) == len(embeddings[f"{name}/labels"]) == 16 for name in names)
