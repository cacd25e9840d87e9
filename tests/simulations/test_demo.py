"""The demo shows what is there, tells the whole story, and makes nothing twice."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from common.config import load_config
from simulations import cli, demo

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def overrides(make_speech, tmp_path_factory) -> list[str]:
    """The preset demo on forty recordings, two steps a stage."""
    return [
        "corpus.name=table",
        f"runtime.corpus_root={make_speech(tmp_path_factory.mktemp('speech'))}",
        f"runtime.cache={tmp_path_factory.mktemp('cache')}",
        "runtime.workers=1",
        "runtime.threads=1",
        "finetuning.iterations=2",
        "finetuning.batch=2",
        "sampling.per_emotion=8",
        "recognizer.iterations=2",
        "recognizer.batch=2",
    ]


@pytest.fixture
def brief_machine(monkeypatch) -> None:
    """As few samples and rounds for the vectors' machine as the networks have, which `best` would take from nobody."""
    few = ["sampling.per_emotion=8", "svm.rounds=20"]
    monkeypatch.setattr(demo, "load_config", lambda name: load_config(name, few))


def silent(title):
    return lambda done, total: None


def written(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file() and ".lock" not in path.name}


def test_a_second_run_draws_and_extracts_nothing_anew(overrides, tmp_path: Path) -> None:
    config = load_config("demo", overrides)
    first = demo.show_speech(config, tmp_path, silent)
    made = written(tmp_path) | written(Path(config.runtime.cache))
    second = demo.show_speech(config, tmp_path, silent)
    assert written(tmp_path) | written(Path(config.runtime.cache)) == made
    assert first.picture == second.picture


def test_other_features_are_another_picture(overrides, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(demo, "draw_spectrograms", lambda path, *_: path.touch())
    pictures = {
        demo.show_speech(load_config("demo", [*overrides, f"features.floor={floor}"]), tmp_path, silent).picture
        for floor in ("1e-7", "1e-5")
    }
    assert len(pictures) == 2
    assert all(picture.exists() for picture in pictures)


@pytest.mark.parametrize("times", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_the_whole_story_ends_in_a_table_and_two_pictures_and_is_told_alike_each_time(
    overrides, tmp_path: Path, monkeypatch, capsys, blank_figures, brief_machine, times
) -> None:
    monkeypatch.setattr(demo, "federate", partial(demo.federate, backend="serial"))
    words = ["demo", "--run", str(tmp_path), *(word for one in overrides for word in ("--set", one))]
    told = []
    for _ in range(times):
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        assert left.value.code == 0
        told.append(capsys.readouterr().out)
        # What the reports show is there by now, and to draw them takes longer than the rest of the second telling.
        monkeypatch.setattr("simulations.report.writing.write_report", lambda run: run / "report.html")
    assert len(set(told)) == 1
    lines = told[0].splitlines()
    assert any("Session1" in line for line in lines)
    for what in ("a Gaussian an emotion", "the paper's GAN"):
        rows = [line for line in lines if line.startswith(f"│ {what}")]
        assert [row.split("│")[2].strip() for row in rows] == ["real", "federated"]
        assert all(len(row) <= 80 for row in rows)
        assert f"{what[0].upper()}{what[1:]}: 0." in told[0]
    assert "Guessing gives 0.25." in told[0]
    for said in ("spectrograms:", "makes:"):
        (path,) = (line.split(said)[1].strip() for line in lines if said in line)
        assert np.asarray(Image.open(path)).std() > 10


@pytest.mark.slow
def test_the_picture_in_the_readme_is_what_the_demo_draws(tmp_path: Path) -> None:
    shown = demo.show_speech(load_config("demo"), tmp_path, silent)
    fresh, stored = (
        np.asarray(Image.open(path).convert("L"), dtype=float)
        for path in (shown.picture, ROOT / "results" / "demo" / "speech.png")
    )
    assert fresh.shape == stored.shape
    assert np.abs(fresh - stored).mean() < 2
