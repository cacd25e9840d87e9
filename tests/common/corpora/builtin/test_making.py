"""A recipe makes one whole corpus, the same each time, whoever builds beside it and whoever is killed."""

import multiprocessing
import os
import signal
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from common.config.tree import EMOTIONS
from common.corpora.builtin import acting, generate, making
from common.errors import UserError


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A corpus of one utterance a cell that no test changes."""
    root = tmp_path_factory.mktemp("corpus")
    return generate(root, utterances_per_cell=1)


@pytest.fixture
def few(monkeypatch):
    """Four utterances instead of forty, for tests of storage."""
    whole_cast = acting.cast
    monkeypatch.setattr(acting, "cast", lambda seed: whole_cast(seed)[:1])


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_every_session_has_a_woman_and_a_man_in_every_emotion(shared):
    cells = Counter((u.session, u.sex, u.emotion) for u in shared.utterances)
    assert len(cells) == 5 * 2 * 4
    assert set(cells.values()) == {1}
    assert len(shared.speakers) == 10
    assert shared.labels == EMOTIONS
    assert shared.corpus == "builtin"


def test_every_recording_is_speech_length_16_bit_16_khz_and_as_long_as_the_manifest_says(shared):
    for utterance in shared.utterances:
        info = soundfile.info(shared.root / utterance.path)
        assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
        assert info.frames / 16_000 == utterance.seconds
        assert 1.2 < utterance.seconds < 4.5


def test_nothing_clips_for_long_and_nothing_is_silent(shared):
    for utterance in shared.utterances:
        samples, _ = soundfile.read(shared.root / utterance.path)
        assert np.mean(np.abs(samples) > 0.999) < 1e-3
        assert np.sqrt(np.mean(samples**2)) > 1e-3


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(tmp_path, few):
    first, again, other = (generate(tmp_path / name, seed, 1) for name, seed in (("a", 0), ("b", 0), ("c", 1)))
    assert contents(first.root) == contents(again.root)
    assert not set(contents(first.root).values()) & set(contents(other.root).values())
    assert first.content_hash() == again.content_hash() != other.content_hash()


def test_more_utterances_leave_the_first_ones_as_they_were(tmp_path, few):
    fewer, more = (
        {content for path, content in contents(generate(tmp_path / str(n), 0, n).root).items() if path.endswith("wav")}
        for n in (1, 2)
    )
    assert fewer < more


def test_a_whole_corpus_is_not_made_again(tmp_path, few, monkeypatch):
    manifest = generate(tmp_path, 0, 1)
    monkeypatch.setattr(making, "_make", pytest.fail)
    assert generate(tmp_path, 0, 1) == manifest


def test_a_changed_recipe_is_made_anew_beside_the_old_one(tmp_path, few, monkeypatch):
    old = generate(tmp_path, 0, 1)
    kept = contents(tmp_path)
    monkeypatch.setattr(making.Recipe, "hash", lambda recipe: "changed")
    new = generate(tmp_path, 0, 1)
    assert new.content_hash() != old.content_hash()
    assert kept.items() < contents(tmp_path).items()


def test_a_changed_source_changes_the_recipe(tmp_path, monkeypatch):
    before = making.Recipe().hash()
    (tmp_path / "acting.py").write_text("# another way to be sad\n")
    monkeypatch.setattr(making.acting, "__file__", str(tmp_path / "acting.py"))
    assert making.Recipe().hash() != before


@pytest.mark.parametrize("harm", ["missing", "short", "no index", "broken index"])
def test_a_damaged_corpus_is_made_anew(tmp_path, few, harm):
    manifest = generate(tmp_path, 0, 1)
    whole = contents(tmp_path)
    victim = tmp_path / manifest.utterances[0].path
    index = next(tmp_path.glob("*/corpus.json"))
    match harm:
        case "missing":
            victim.unlink()
        case "short":
            victim.write_bytes(victim.read_bytes()[:1000])
        case "no index":
            index.unlink()
        case "broken index":
            index.write_text("{")
    assert generate(tmp_path, 0, 1) == manifest
    assert contents(tmp_path) == whole


def start(build, *arguments):
    """A process of its own, forked: it builds at once instead of importing torch first."""
    process = multiprocessing.get_context("fork").Process(target=build, args=arguments)
    process.start()
    return process


def test_two_processes_at_once_yield_one_whole_corpus(tmp_path, few):
    expected = contents(generate(tmp_path / "alone", 0, 2).root)
    together = tmp_path / "together"
    builders = [start(generate, together, 0, 2) for _ in range(2)]
    for builder in builders:
        builder.join(200)
    assert [builder.exitcode for builder in builders] == [0, 0]
    assert contents(together) == expected


def test_a_build_killed_half_way_leaves_nothing_that_reads_as_a_corpus(tmp_path, few):
    expected = contents(generate(tmp_path / "alone", 0, 2).root)
    root = tmp_path / "killed"
    half_way = multiprocessing.get_context("fork").Event()

    def stall(done, of):
        if done == of // 2:
            half_way.set()
            time.sleep(600)

    builder = start(lambda: generate(root, 0, 2, progress=stall))
    assert half_way.wait(200)
    os.kill(builder.pid, signal.SIGKILL)
    builder.join(200)
    leavings = list(root.iterdir())
    assert leavings
    assert not list(root.glob("builtin-*"))
    long_ago = time.time() - 2 * 3600
    for path in leavings:
        os.utime(path, (long_ago, long_ago))
    generate(root, 0, 2)
    assert contents(root) == expected


def test_a_loser_of_the_race_keeps_the_winners_corpus(tmp_path, few, monkeypatch):
    """The winner comes in just before the loser moves its own into place."""
    place = making._place

    def overtaken(built, folder, aside):
        monkeypatch.setattr(making, "_place", place)
        generate(tmp_path, 0, 1)
        winner.update({path: path.stat().st_mtime_ns for path in folder.rglob("*.wav")})
        place(built, folder, aside)

    winner: dict[Path, int] = {}
    monkeypatch.setattr(making, "_place", overtaken)
    manifest = generate(tmp_path, 0, 1)
    assert {tmp_path / u.path for u in manifest.utterances} == set(winner)
    assert all(path.stat().st_mtime_ns == written for path, written in winner.items())


def test_a_full_disk_leaves_nothing_and_says_where(tmp_path, few, monkeypatch):
    write, written = Path.write_bytes, []

    def fill(path, content):
        written.append(path)
        if len(written) > 2:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(UserError, match=r"cannot make the built-in corpus: .*; No space left on device"):
        generate(tmp_path / "full", 0, 1)
    assert not list((tmp_path / "full").iterdir())


def test_progress_counts_to_the_end(tmp_path, few):
    told = []
    generate(tmp_path, 0, 2, progress=lambda done, of: told.append((done, of)))
    assert told == [(done, 8) for done in range(1, 9)]


def test_emotions_order_pitch_and_loudness_as_they_are_heard(shared, pitch_of):
    """Golden averages over ten speakers, each measured against the mean of its own four utterances."""
    pitch, level = defaultdict(list), defaultdict(list)
    for speaker in shared.speakers:
        own = [u for u in shared.utterances if u.speaker == speaker]
        waves = [soundfile.read(shared.root / u.path)[0] for u in own]
        octaves = np.log2([pitch_of(wave) for wave in waves])
        decibels = 20 * np.log10([wave.std() for wave in waves])
        for utterance, octave, decibel in zip(own, octaves - octaves.mean(), decibels - decibels.mean(), strict=True):
            pitch[utterance.emotion].append(octave)
            level[utterance.emotion].append(decibel)
    mean_pitch, mean_level = ({emotion: np.mean(some[emotion]) for emotion in EMOTIONS} for some in (pitch, level))
    assert mean_pitch == pytest.approx({"neutral": -0.19, "angry": 0.23, "sad": -0.51, "happy": 0.47}, abs=0.12)
    assert mean_level == pytest.approx({"neutral": -0.6, "angry": 5.9, "sad": -7.5, "happy": 2.2}, abs=1.5)
