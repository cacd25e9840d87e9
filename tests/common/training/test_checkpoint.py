"""Checkpoints: what they bring back, how many are kept, and every reason to refuse one."""

import json
import shutil

import pytest
import torch
from torch import nn

from common.errors import UserError
from common.settings import OptimizerConfig
from common.training import checkpoint
from common.training.adam import Adam
from common.training.checkpoint import (
    CARD,
    TENSORS,
    Snapshots,
    read_tensors,
    refuse_other_shapes,
    save_tensors,
)

IDENTITY = {"seed": 0, "network": {"width": 0.125}}
LABELS = ("neutral", "angry", "sad", "happy")
SCALING = {"low": -16.0, "high": 4.0}


def snapshots(folder, **changes):
    return Snapshots(folder, **({"identity": IDENTITY, "labels": LABELS, "scaling": SCALING} | changes))


def trained_layer(seed=0):
    """A channels-last convolution that Adam has moved twice."""
    layer = nn.Conv2d(2, 3, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.linspace(-1, 1, layer.weight.numel()).view_as(layer.weight))
        layer.bias.fill_(seed)
    layer.to(memory_format=torch.channels_last)
    adam = Adam(layer.parameters(), 0.1, OptimizerConfig())
    for _ in range(2):
        move(layer, adam)
    return layer, adam


def move(layer, adam):
    adam.forget_gradients()
    layer(torch.linspace(0, 1, 50).view(1, 2, 5, 5)).square().sum().backward()
    adam.step()


def test_networks_and_optimizers_come_back_and_go_on_alike(tmp_path):
    layer, adam = trained_layer()
    snapshots(tmp_path).save("stage", 2, {"layer": layer, "adam": adam})
    other, other_adam = trained_layer(seed=1)
    assert snapshots(tmp_path).restore("stage", {"layer": other, "adam": other_adam}) == 2
    for pair in ((layer, adam), (other, other_adam)):
        move(*pair)
    assert torch.equal(layer.weight, other.weight)
    for name, value in adam.state_dict().items():
        assert torch.equal(value, other_adam.state_dict()[name])


def test_an_optimizer_of_other_parameters_is_refused(tmp_path):
    _, adam = trained_layer()
    snapshots(tmp_path).save("stage", 2, {"adam": adam})
    other = Adam(nn.Linear(2, 2).parameters(), 0.1, OptimizerConfig())
    with pytest.raises(UserError, match=r"0.exp_avg: 3x2x3x3 in the checkpoint, 2x2 in this network"):
        snapshots(tmp_path).restore("stage", {"adam": other})


def test_nothing_stored_means_from_the_beginning(tmp_path):
    layer, _ = trained_layer()
    assert snapshots(tmp_path).restore("stage", {"layer": layer}) == 0


def test_the_last_two_are_kept(tmp_path):
    layer, _ = trained_layer()
    for step in (1, 2, 3, 4, 5, 5):
        snapshots(tmp_path).save("stage", step, {"layer": layer})
    assert {path.name for path in (tmp_path / "stage").iterdir()} == {"00000004", "00000005"}


@pytest.mark.parametrize("killed", ["save_tensors", "rmtree"])
def test_what_a_kill_leaves_half_written_or_half_deleted_is_not_taken_for_a_checkpoint(tmp_path, monkeypatch, killed):
    layer, _ = trained_layer()
    for step in (1, 2):
        snapshots(tmp_path).save("stage", step, {"layer": layer})

    def half(folder, *_):
        folder.mkdir(exist_ok=True)
        (folder / CARD).unlink(missing_ok=True)
        (folder / TENSORS).write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(*((checkpoint, killed) if killed == "save_tensors" else (shutil, killed)), half)
        snapshots(tmp_path).save("stage", 3, {"layer": layer})
    assert snapshots(tmp_path).restore("stage", {"layer": layer}) == (2 if killed == "save_tensors" else 3)
    snapshots(tmp_path).save("stage", 4, {"layer": layer})
    (tmp_path / "stage" / ".DS_Store").write_text("somebody's")
    snapshots(tmp_path).save("stage", 4, {"layer": layer})
    (tmp_path / "stage" / ".DS_Store").unlink()
    left = {path.name for path in (tmp_path / "stage").iterdir()}
    assert left == {"00000002" if killed == "save_tensors" else "00000003", "00000004"}


def test_weights_that_are_not_finite_are_neither_saved_nor_read(tmp_path):
    bad = nn.Linear(2, 2)
    nn.init.constant_(bad.weight, torch.nan)
    with pytest.raises(UserError, match="not finite, such as layer/weight"):
        snapshots(tmp_path).save("stage", 1, {"layer": bad})
    assert snapshots(tmp_path).stored("stage") == []
    save_tensors(tmp_path / "bad", bad.state_dict(), {})
    with pytest.raises(UserError, match="not finite, such as weight"):
        read_tensors(tmp_path / "bad")


def test_a_card_that_is_no_card_is_refused(tmp_path):
    save_tensors(tmp_path, {"weight": torch.zeros(2)}, {})
    (tmp_path / CARD).write_text("[]")
    with pytest.raises(UserError, match="holds no card"):
        read_tensors(tmp_path)


@pytest.mark.parametrize("keep", [0, 4, 100, -1])
def test_a_truncated_checkpoint_is_refused(tmp_path, keep):
    save_tensors(tmp_path, {"weight": torch.zeros(8)}, {})
    whole = (tmp_path / TENSORS).read_bytes()
    (tmp_path / TENSORS).write_bytes(whole[:keep])
    with pytest.raises(UserError, match=f"truncated or altered.*{TENSORS}"):
        read_tensors(tmp_path)


def test_an_altered_byte_is_noticed(tmp_path):
    save_tensors(tmp_path, {"weight": torch.zeros(8)}, {})
    content = bytearray((tmp_path / TENSORS).read_bytes())
    content[-1] ^= 1
    (tmp_path / TENSORS).write_bytes(content)
    with pytest.raises(UserError, match="altered"):
        read_tensors(tmp_path)


@pytest.mark.parametrize("name", ["weights.pt", "weights.bin"])
def test_a_pickle_is_refused_unopened(tmp_path, name):
    torch.save({"weight": torch.zeros(2)}, tmp_path / name)
    with pytest.raises(UserError, match="a pickle is not read"):
        read_tensors(tmp_path / name)


def test_a_folder_without_a_card_and_a_path_to_nothing_are_refused(tmp_path):
    save_tensors(tmp_path, {"weight": torch.zeros(2)}, {})
    (tmp_path / CARD).unlink()
    with pytest.raises(UserError, match=f"lacks {CARD}"):
        read_tensors(tmp_path)
    with pytest.raises(UserError, match="no such folder"):
        read_tensors(tmp_path / "nowhere")


def test_a_card_of_another_format_is_refused(tmp_path):
    card = save_tensors(tmp_path, {"weight": torch.zeros(2)}, {})
    (tmp_path / CARD).write_text(json.dumps(card | {"format": 99}))
    with pytest.raises(UserError, match="format 99"):
        read_tensors(tmp_path)


def test_another_width_is_refused_with_the_shapes(config, fresh):
    wider = config.network.model_copy(update={"width": 2 / 64})
    stored = fresh(config).generator.state_dict()
    expected = fresh(config.model_copy(update={"network": wider})).generator.state_dict()
    with pytest.raises(UserError) as caught:
        refuse_other_shapes(stored, expected, "somewhere")
    assert "network.width" in str(caught.value)
    assert "linears.0.weight: 64x12 in the checkpoint, 128x12 in this network" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labels": ("angry", "neutral", "sad", "happy")}, "label order neutral, angry"),
        ({"identity": IDENTITY | {"seed": 1}}, "seed: 0 stored, 1 asked for"),
        ({"identity": {"seed": 0, "network": {"width": 0.25}}}, "network.width: 0.125 stored, 0.25 asked"),
        ({"scaling": {"low": -15.0, "high": 4.0}}, "scaling.low: -16.0 stored, -15.0 asked for"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_with_the_difference(tmp_path, change, told):
    layer, _ = trained_layer()
    snapshots(tmp_path).save("stage", 1, {"layer": layer})
    with pytest.raises(UserError) as caught:
        snapshots(tmp_path, **change).restore("stage", {"layer": layer})
    assert told in str(caught.value)


@pytest.mark.parametrize("key", ["identity", "scaling", "step", "labels"])
@pytest.mark.parametrize("change", [lambda card, key: card.pop(key), lambda card, key: card.update({key: [3]})])
def test_a_card_that_was_altered_is_a_clear_line(tmp_path, key, change):
    layer, _ = trained_layer()
    path = snapshots(tmp_path).save("stage", 1, {"layer": layer}) / CARD
    card = json.loads(path.read_text())
    change(card, key)
    path.write_text(json.dumps(card))
    with pytest.raises(UserError):
        snapshots(tmp_path).restore("stage", {"layer": layer})


def test_every_difference_is_told_at_once(tmp_path):
    layer, _ = trained_layer()
    snapshots(tmp_path).save("stage", 1, {"layer": layer})
    with pytest.raises(UserError) as caught:
        snapshots(tmp_path, identity={"seed": 3, "network": {"width": 0.5}}).restore("stage", {"layer": layer})
    assert len(str(caught.value).splitlines()) == 3
