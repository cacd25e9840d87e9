"""Weights as they are shipped: small, and nearly what they were."""

import json

import pytest
import torch

from common.config import Config
from common.errors import UserError
from common.features.scaling import Scaling
from common.training.checkpoint import CARD, save_tensors
from common.training.pretrained import ROWS, SCALES, WIDE, load_pretrained, pack, save_pretrained, unpack
from server.pretraining import pretraining_identity


def wide(seed=0):
    return torch.randn(513, 512, generator=torch.Generator().manual_seed(seed))


def test_a_wide_matrix_keeps_each_value_within_half_a_step_of_its_row():
    weight = wide() * torch.logspace(-6, 1, 513)[:, None]
    found = unpack(pack({"weight": weight}))["weight"]
    # Half a step of rounding, and the half precision of the scale itself.
    bound = weight.abs().amax(dim=1, keepdim=True) * (0.5 / 127 + 2**-10) + 2.0**-15
    assert ((found - weight).abs() <= bound).all()


def test_a_row_of_nothing_stays_nothing():
    weight = wide()
    weight[3] = 0
    assert (unpack(pack({"weight": weight}))["weight"][3] == 0).all()


def test_everything_else_is_shipped_in_half_precision():
    small, filters = torch.randn(4, 4), torch.randn(WIDE // 9 + 1, 1, 3, 3)
    packed = pack({"small": small, "filters": filters, "wide": wide()})
    assert {name: value.dtype for name, value in packed.items()} == {
        "small": torch.float16,
        "filters": torch.float16,
        "wide" + ROWS: torch.int8,
        "wide" + SCALES: torch.float16,
    }
    assert torch.equal(unpack(packed)["small"], small.half().float())


def test_unpacked_weights_pass_through():
    weights = {"wide": wide(), "small": torch.randn(4)}
    assert all(torch.equal(value, weights[name]) for name, value in unpack(weights).items())


def test_a_snapshot_of_a_training_is_not_taken_for_pre_trained_networks(tmp_path):
    save_tensors(tmp_path, {"weight": torch.zeros(2)}, {"stage": "adversarial", "labels": []})
    with pytest.raises(UserError, match=r"not pre-trained networks: .*; name the run's folder `pretrained`"):
        load_pretrained(tmp_path, Config().network, Config().features, 4)


@pytest.mark.parametrize("retired", [{"mel_scale": "slaney", "padding": "repeat"}, {"mel_scale": "htk"}], ids=str)
def test_networks_of_an_older_version_fit_if_their_features_were_what_is_fixed_now(tmp_path, retired, fresh):
    config = Config.model_validate({"network": {"width": 1 / 64, "noise": 8}})
    save_pretrained(tmp_path, fresh(config), Scaling(-16.0, 4.0), pretraining_identity(config), {})
    card = json.loads((tmp_path / CARD).read_text())
    card["settings"]["features"] |= retired
    (tmp_path / CARD).write_text(json.dumps(card))
    if retired["mel_scale"] == "slaney":
        assert load_pretrained(tmp_path, config.network, config.features, 4).scaling == Scaling(-16.0, 4.0)
    else:
        with pytest.raises(UserError, match=r"features\.mel_scale: 'htk' stored, 'slaney' asked for"):
            load_pretrained(tmp_path, config.network, config.features, 4)


def test_networks_fit_speech_that_is_trimmed_and_normalised_otherwise_than_theirs(tmp_path, fresh):
    config = Config.model_validate({"network": {"width": 1 / 64, "noise": 8}})
    save_pretrained(tmp_path, fresh(config), Scaling(-16.0, 4.0), pretraining_identity(config), {})
    other = {"trim": 40.0, "normalisation": "session"}
    load_pretrained(tmp_path, config.network, config.features.model_copy(update=other), 4)
