"""How a run went, as a picture."""

import pytest
from matplotlib.image import imread

from common.training.curves import read_rows, save_curves
from common.training.reporters import JsonLines

ROWS = [
    {"stage": stage, "step": step, "loss": 1 / step, **extra}
    for stage, extra in (("autoencoder", {}), ("adversarial", {"penalty": 0.5}))
    for step in (1, 2, 3)
]


def test_what_a_run_recorded_is_read_back(tmp_path):
    reporter = JsonLines(tmp_path / "metrics.jsonl")
    for row in ROWS:
        reporter.record(row["stage"], row["step"], {k: v for k, v in row.items() if k not in ("stage", "step")})
    assert read_rows(tmp_path / "metrics.jsonl") == ROWS
    assert read_rows(tmp_path / "nothing.jsonl") == []


@pytest.mark.parametrize(("rows", "stages"), [(ROWS, 2), (ROWS[:3], 1), ([], 1)])
def test_each_stage_is_a_row_of_panels(tmp_path, rows, stages):
    save_curves(tmp_path / "curves.png", rows)
    picture = imread(tmp_path / "curves.png")
    assert picture.shape[0] == 240 * stages
    assert picture[..., :3].std() > 0 or not rows
