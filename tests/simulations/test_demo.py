"""The demo shows what is there, and makes nothing twice."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from common.config import load_config
from common.config.tree import EMOTIONS
from common.corpora.manifest import Manifest, Utterance
from simulations import cli, demo

ROOT = Path(__file__).parents[2]


@pytest.fixture
def few_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """Two speakers say each emotion once, instead of the whole built-in corpus."""
    utterances = []
    for speaker, sex in (("a", "female"), ("b", "male")):
        for number, emotion in enumerate(EMOTIONS):
            wave = np.sin(np.arange(16_000) * 0.05 * (number + 1))
            soundfile.write(tmp_path / f"{speaker}-{emotion}.wav", wave, 16_000)
            utterances.append(Utterance(f"{speaker}-{emotion}.wav", speaker, "Session1", 1.0, emotion, sex))
    manifest = Manifest("builtin", tmp_path, EMOTIONS, tuple(utterances))
    monkeypatch.setattr(demo, "read_corpus", lambda *_, **__: manifest)
    return manifest


def test_a_second_run_draws_and_extracts_nothing_anew(few_words: Manifest, tmp_path: Path) -> None:
    config = load_config("demo", [f"runtime.cache={tmp_path / 'cache'}"])
    first = demo.show_speech(config, tmp_path / "run", lambda title: lambda done, total: None)
    made = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    second = demo.show_speech(config, tmp_path / "run", lambda title: lambda done, total: None)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == made
    assert first.picture == second.picture


def test_other_features_are_another_picture(few_words: Manifest, tmp_path: Path) -> None:
    pictures = set()
    for floor in ("1e-7", "1e-5"):
        config = load_config("demo", [f"runtime.cache={tmp_path / 'cache'}", f"features.floor={floor}"])
        pictures.add(demo.show_speech(config, tmp_path / "run", lambda title: lambda done, total: None).picture)
    assert len(pictures) == 2
    assert all(picture.exists() for picture in pictures)


@pytest.mark.usefixtures("few_words")
def test_the_command_ends_by_saying_where_the_picture_lies(tmp_path: Path, capsys) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["demo", "--run", str(tmp_path / "run"), "--set", f"runtime.cache={tmp_path / 'cache'}"])
    table, last = capsys.readouterr().out.rstrip().rsplit("\n", 1)
    assert left.value.code == 0
    assert "Session1" in table
    assert Path(last.removeprefix("Each emotion as spectrograms: ")).exists()


@pytest.mark.slow
def test_the_picture_in_the_readme_is_what_the_demo_draws(tmp_path: Path) -> None:
    shown = demo.show_speech(load_config("demo"), tmp_path, lambda title: lambda done, total: None)
    fresh, stored = (
        np.asarray(Image.open(path).convert("L"), dtype=float)
        for path in (shown.picture, ROOT / "results" / "demo" / "speech.png")
    )
    assert fresh.shape == stored.shape
    assert np.abs(fresh - stored).mean() < 2
