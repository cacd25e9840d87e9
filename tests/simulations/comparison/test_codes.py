"""Codes of a fit whose synthesizer has an encoder: kept in a comparison, drawn in its report, kept at no site."""

import pytest
import torch

from common.config import Config, load_config
from common.networks.acceleration import Acceleration
from common.spaces import Vectors
from common.synthesizers import Fitting, synthesizer
from common.training.mixture import Rows
from common.training.phases import Surroundings
from common.training.reporters import Together
from simulations.comparison import codes
from simulations.comparison.codes import SIDES, Encoder
from simulations.report.evidence import Evidence
from simulations.report.looking import codes_of
from simulations.report.writing import write_report

TINY = {"iterations": 2, "batch": 4, "width": 0.01}


def test_the_encoder_of_a_fit_is_told_to_whoever_looks_on():
    rows = torch.randn(12, 5, generator=torch.Generator().manual_seed(0))
    examples = Rows(rows, torch.arange(12) % 4, 0)
    encoder, method = Encoder(), synthesizer("m1")
    around = Surroundings(Acceleration(torch.device("cpu"), bf16=False), reporter=Together([encoder]))
    settings = method.Settings.model_validate({"m1": TINY})
    space = Vectors(set="tiny", size=5)
    method.released_by(Fitting(lambda balanced: examples, {}, tuple("abcd"), space, 0, around), settings)
    assert encoder.encode(rows).shape == (12, 2)
    assert not encoder.encode(rows).requires_grad


@pytest.mark.slow
def test_they_are_kept_of_three_sides_and_drawn(comparing, config, tmp_path):
    best = load_config("best")
    plain = config.model_dump(mode="json") | {
        name: getattr(best, name).model_dump(mode="json") for name in ("methods", "vectors")
    }
    more = {"compare": {**plain["compare"], "rows": [["m1 of 1/2 the steps", "m1", "m1.iterations=1"]]}}
    settings = Config.model_validate(plain | more | {"m1": TINY, "gaussian": {"rank": 2}})
    modes = ("m1", "m1 of 1/2 the steps", "gaussian")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(codes, "AN_EMOTION", 3)
        patch.setattr("simulations.comparison.vectors.AN_EMOTION", 6)
        comparing(tmp_path / "run", settings=settings, base=None, modes=modes, folds=["Session1"], seeds=1)
    found = Evidence.read(tmp_path / "run", modes)
    assert list(found.codes) == ["m1", "m1 of 1/2 the steps"]
    assert {side: values.shape[1] for side, (values, _) in found.codes["m1"].items()} == dict.fromkeys(SIDES, 2)
    assert len(found.codes["m1"]["samples"][0]) == 12
    assert [drawing.name for drawing in codes_of(found)] == ["codes-m1", "codes-m1-of-1-2-the-steps"]
    assert 'id="codes"' in write_report(tmp_path / "run").read_text()
