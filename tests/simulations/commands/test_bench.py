"""`eyesoff bench features` measures for real and prints one object; its figures are never judged by a test."""

import json

from typer.testing import CliRunner

from simulations.cli import app


def test_bench_features_prints_one_object_with_its_three_ratios(make_speech, tmp_path):
    table = make_speech(tmp_path) / "recordings.csv"
    words = ["bench", "features", "--corpus", "table", "--root", str(table), "--seconds", "5", "--json"]

    answer = CliRunner().invoke(app, words)

    assert answer.exit_code == 0, answer.output
    figures = json.loads(answer.stdout)
    assert all(figures[name] > 0 for name in ("ratio_vs_librosa", "ratio_vs_torchaudio", "cache_speedup"))
