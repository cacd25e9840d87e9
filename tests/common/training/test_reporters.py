"""What a stage leaves behind for those who watch."""

import io
import json

import pytest
import torch
from rich.console import Console

from common.training.reporters import JsonLines, Pictures, ProgressBar, StatusLines, TensorBoard, Together


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_row_is_written_for_each_record(tmp_path):
    reporter = JsonLines(tmp_path / "metrics.jsonl")
    reporter.begin("autoencoder", 0, 10)
    reporter.record("autoencoder", 5, {"loss": 0.5})
    assert rows(tmp_path / "metrics.jsonl") == [{"stage": "autoencoder", "step": 5, "loss": 0.5}]


def test_a_resumed_stage_drops_the_rows_it_writes_again_and_a_broken_last_line(tmp_path):
    path = tmp_path / "metrics.jsonl"
    reporter = JsonLines(path)
    for stage, step in (("autoencoder", 10), ("adversarial", 5), ("adversarial", 10)):
        reporter.record(stage, step, {"loss": 1.0})
    with path.open("a") as stream:
        stream.write('{"stage": "adver')
    reporter.begin("adversarial", 5, 20)
    assert [(row["stage"], row["step"]) for row in rows(path)] == [("autoencoder", 10), ("adversarial", 5)]


def test_a_status_line_tells_place_rate_time_left_and_numbers():
    lines, time = [], iter([0.0, 0.0, 10.0])
    reporter = StatusLines(lines.append, clock=lambda: next(time))
    reporter.begin("adversarial", 100, 200)
    reporter.record("adversarial", 150, {"loss": 0.12345})
    assert lines[-1] == "adversarial 150/200  5.00 it/s  0:00:10 left  loss 0.1235"


def test_a_progress_bar_ends_where_the_stage_ends():
    written = io.StringIO()
    bar = ProgressBar(Console(file=written, force_terminal=True, width=120))
    bar.begin("autoencoder", 0, 4)
    bar.record("autoencoder", 4, {"loss": 0.25})
    bar.close()
    assert "4/4" in written.getvalue()
    assert "loss 0.25" in written.getvalue()


def test_curves_land_in_a_tensorboard_folder_a_stage(tmp_path):
    reporter = TensorBoard(tmp_path)
    reporter.begin("autoencoder", 0, 4)
    reporter.record("autoencoder", 4, {"loss": 0.25})
    reporter.close()
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path / "autoencoder"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [(4, 0.25)]


@pytest.mark.parametrize("times", [1, 2])
def test_everyone_hears_everything(tmp_path, times):
    heard = []
    both = Together([StatusLines(heard.append)] * times + [Pictures(tmp_path)])
    both.begin("autoencoder", 0, 4)
    both.record("autoencoder", 2, {"loss": 1.0})
    both.show("autoencoder", 2, torch.zeros(4, 1, 8, 8), 2)
    both.close()
    assert len(heard) == 2 * times
    assert [path.name for path in tmp_path.iterdir()] == ["autoencoder-00000002.png"]
