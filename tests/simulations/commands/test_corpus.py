"""`eyesoff corpus describe`: what a person and a program read of it."""

import json

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from common.errors import UserError
from simulations.commands.corpus import app


@pytest.fixture
def root(tmp_path):
    for name in ("03a01Wa", "03a01La", "08a01Ta", "10a01Na"):
        (tmp_path / "wav").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "wav" / f"{name}.wav", noise(4000), 16_000)
    return tmp_path


def noise(samples):
    return np.random.default_rng(0).normal(size=samples) / 10


def run(*words):
    return CliRunner().invoke(app, ["describe", *map(str, words)])


def test_json_is_one_object_with_the_counts(root):
    result = run("emodb", "--root", root, "--json")
    described = json.loads(result.stdout)
    assert described["utterances"] == 3
    assert described["sessions"] == {"03+08": 2, "10+09": 1}
    assert described["emotions"] == {"neutral": 1, "angry": 1, "sad": 1, "happy": 0}


def test_a_person_reads_a_table_and_what_was_left_out(root):
    lines = run("emodb", "--root", root).stdout.splitlines()
    row = next(line for line in lines if "03+08" in line)
    assert [cell.strip() for cell in row.strip("│┃").split("│")] == ["03+08", "0", "1", "1", "0", "2"]
    assert "left out, for they are of other emotions: bored 1" in lines
    assert "speakers: 3 (1 female, 2 male)" in lines


def test_emotions_can_be_chosen(root):
    result = run("emodb", "--root", root, "--emotions", "bored, sad", "--json")
    assert json.loads(result.stdout)["emotions"] == {"bored": 1, "sad": 1}


def test_bad_files_are_an_error_or_are_listed_as_skipped(root):
    (root / "wav/11a01Wa.wav").touch()
    assert isinstance(run("emodb", "--root", root).exception, UserError)
    assert "skipped: wav/11a01Wa.wav: empty file (0 bytes)" in run("emodb", "--root", root, "--skip-bad").stdout


def test_what_is_damaged_inside_is_heard_and_headers_alone_do_not_tell_it(root):
    soundfile.write(root / "wav/03a01La.wav", np.zeros(4000), 16_000)
    soundfile.write(root / "wav/03a01Wa.wav", np.full(4000, np.nan), 16_000, subtype="FLOAT")
    with pytest.raises(UserError, match=r"2 of 3 files .* cannot be used") as told:
        run_and_raise("emodb", "--root", root, "--emotions", "angry,neutral,bored")
    assert "wav/03a01La.wav: silent" in str(told.value)
    assert "wav/03a01Wa.wav: holds samples that are not numbers" in str(told.value)
    described = run("emodb", "--root", root, "--emotions", "angry,neutral,bored", "--skip-bad").stdout
    assert "skipped: wav/03a01La.wav: silent" in described
    assert "warning: no recording of angry, bored" in described
    assert "skipped" not in run("emodb", "--root", root, "--headers").stdout


def test_recordings_are_heard_as_they_are_trimmed(root):
    click = np.zeros(16_000)
    click[:400] = 0.3  # 30 decibels above the rest
    soundfile.write(root / "wav/03a01La.wav", click + noise(16_000) / 10, 16_000)
    words = "emodb", "--root", root, "--emotions", "bored,sad", "--skip-bad"
    assert "skipped" not in run(*words, "--trim", 40).stdout
    assert "skipped: wav/03a01La.wav: too short" in run(*words, "--trim", 20).stdout
    assert run(*words, "--trim", "nan").exit_code == run(*words, "--trim", 121).exit_code == 2


def test_a_long_list_of_sessions_is_cut(tmp_path):
    for actor in range(1001, 1031):
        (tmp_path / "AudioWAV").mkdir(exist_ok=True)
        soundfile.write(tmp_path / "AudioWAV" / f"{actor}_DFA_ANG_XX.wav", noise(2000), 16_000)
    output = run("cremad", "--root", tmp_path).stdout
    assert "and 10 more" in output
    assert "1020" in output
    assert "1021" not in output


def test_a_speaker_in_two_sessions_is_a_warning(root):
    (root / "mine.csv").write_text(
        "path,emotion,session,speaker\nwav/03a01Wa.wav,sad,1,ann\nwav/08a01Ta.wav,sad,2,ann\n"
    )
    assert "warning: speaker ann is in 1 and 2" in run("table", "--root", root).stdout


def test_an_option_of_the_layout_reaches_it(root):
    with pytest.raises(UserError, match="dialogs: no such option"):
        run_and_raise("emodb", "--root", root, "--option", "dialogs=improvised")


@pytest.mark.parametrize("text", ["dialogs", "=x", "skip bad="])
def test_an_option_that_is_no_pair_is_refused(root, text):
    with pytest.raises(UserError, match="write it as --option key=value"):
        run_and_raise("emodb", "--root", root, "--option", text)


def run_and_raise(*words):
    raise run(*words).exception
