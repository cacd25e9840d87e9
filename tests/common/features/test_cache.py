"""A cache is whole or absent, made once, and made anew when what it was made from has changed."""

import errno
import logging
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from common.corpora.audio import load
from common.errors import UserError, UserErrors
from common.features import building, cache
from common.features.cache import DATA, INDEX, features_for
from common.features.extraction import extract
from common.features.extractor import LogMel


@pytest.fixture
def extractions(monkeypatch) -> list[int]:
    """Grows by one whenever something is extracted."""
    made = []

    def counted(*arguments):
        made.append(1)
        return extract(*arguments)

    monkeypatch.setattr(cache, "extract", counted)
    return made


def caches(runtime) -> list[Path]:
    """All that stands in the cache but locks."""
    return [path for path in (Path(runtime.cache) / "features").iterdir() if path.suffix != ".lock"]


def test_features_are_the_extractors_in_the_order_of_the_manifest(manifest, config, runtime):
    features = features_for(manifest, config, runtime)
    assert len(features) == len(manifest)
    for log_mel, utterance in zip(features, manifest.utterances, strict=True):
        expected = LogMel(config)(torch.from_numpy(load(manifest.root / utterance.path)))
        assert log_mel.dtype == np.float16
        assert not log_mel.flags.writeable
        np.testing.assert_allclose(log_mel, expected.numpy(), rtol=1e-3)


def test_the_second_call_reads_what_the_first_one_made(manifest, config, runtime, extractions):
    first, second = (features_for(manifest, config, runtime) for _ in range(2))
    assert len(extractions) == 1
    assert first.key == second.key
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def test_a_changed_file_is_extracted_again(manifest, config, runtime, voice, extractions):
    before = features_for(manifest, config, runtime)
    soundfile.write(manifest.root / "0.wav", voice(0.5, seed=99), 16_000)
    after = features_for(manifest, config, runtime)
    assert len(extractions) == 2
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1], after[1])


@pytest.mark.parametrize("change", [{"floor": 1e-5}, {"hop": 200}], ids=str)
def test_another_setting_makes_another_cache(manifest, config, runtime, extractions, change):
    features_for(manifest, config, runtime)
    features_for(manifest, config.model_copy(update=change), runtime)
    assert len(extractions) == 2


@pytest.mark.parametrize("damage", ["data cut", "index gone", "index garbled"])
def test_a_damaged_cache_is_built_again(manifest, config, runtime, damage):
    features_for(manifest, config, runtime)
    (folder,) = caches(runtime)
    if damage == "data cut":
        (folder / DATA).write_bytes((folder / DATA).read_bytes()[:-2])
    elif damage == "index gone":
        (folder / INDEX).unlink()
    else:
        (folder / INDEX).write_text("{")
    assert len(features_for(manifest, config, runtime)[7]) == 128


def test_progress_is_told_from_none_to_all(manifest, config, runtime):
    told = []
    features_for(manifest, config, runtime, lambda done, total: told.append((done, total)))
    assert told == [(done, 8) for done in range(9)]


def test_the_features_of_a_part_are_its_own(manifest, config, runtime):
    features = features_for(manifest, config, runtime)
    test = manifest.where(lambda utterance: utterance.speaker == manifest.speakers[1])
    part = features.of(test)
    assert part.manifest is test
    assert all(np.array_equal(part[place], features[number]) for place, number in enumerate((1, 3, 5, 7)))


@pytest.fixture
def spoiled(manifest, voice):
    """The same manifest after four of its files went bad in four ways."""
    root = manifest.root
    (root / "1.wav").write_bytes((root / "1.wav").read_bytes()[:5000])
    soundfile.write(root / "3.wav", np.full(8000, np.nan, np.float32), 16_000, subtype="FLOAT")
    soundfile.write(root / "5.wav", np.zeros(0, np.float32), 16_000)
    (root / "6.wav").unlink()
    return manifest


def test_all_bad_files_are_named_in_one_report(spoiled, config, runtime):
    with pytest.raises(UserErrors, match=r"4 of 8 files .*--skip-bad") as caught:
        features_for(spoiled, config, runtime)
    reasons = dict(problem.split(": ", 1) for problem in caught.value.problems)
    assert list(reasons) == ["1.wav", "3.wav", "5.wav", "6.wav"]
    assert "truncated" in reasons["1.wav"]
    assert "NaN" in reasons["3.wav"]


def test_bad_files_are_left_out_and_recorded_where_that_is_wanted(spoiled, config, runtime, extractions):
    for _ in range(2):
        features = features_for(spoiled, config, runtime, skip_bad=True)
        assert [utterance.path for utterance in features.manifest.utterances] == ["0.wav", "2.wav", "4.wav", "7.wav"]
        assert [bad.path for bad in features.manifest.skipped] == ["1.wav", "3.wav", "5.wav", "6.wav"]
        assert [log_mel.shape[1] for log_mel in features] == [32, 94, 157, 251]
    assert len(extractions) == 1
    with pytest.raises(UserErrors, match="4 of 8"):
        features_for(spoiled, config, runtime)


def test_a_fold_that_still_holds_a_skipped_file_is_told_so(spoiled, config, runtime):
    features = features_for(spoiled, config, runtime, skip_bad=True)
    with pytest.raises(UserError, match=r"no features of 4 utterances: 1\.wav, 3\.wav, 5\.wav, \.\.\.; cut folds from"):
        features.of(spoiled)


def test_nothing_usable_is_an_error_even_where_bad_files_may_be_skipped(spoiled, config, runtime):
    bad = replace(spoiled, utterances=tuple(u for u in spoiled.utterances if u.path in {"1.wav", "3.wav"}))
    with pytest.raises(UserErrors, match="2 of 2 files"):
        features_for(bad, config, runtime, skip_bad=True)


def test_a_mended_file_is_used(spoiled, config, runtime, voice):
    features_for(spoiled, config, runtime, skip_bad=True)
    for path in ("1.wav", "3.wav", "5.wav", "6.wav"):
        soundfile.write(spoiled.root / path, voice(1.0), 16_000)
    assert len(features_for(spoiled, config, runtime)) == 8


def test_a_disk_that_fills_up_leaves_no_cache_behind(manifest, config, runtime, monkeypatch):
    def fill_up(stream, extracted, total, progress):
        stream.write(next(extracted).tobytes())
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(UserError, match=r"No space left.*make room") as caught:
        patch.setattr(cache, "_write", fill_up)
        features_for(manifest, config, runtime)
    assert "\n" not in str(caught.value)
    assert caches(runtime) == []
    assert len(features_for(manifest, config, runtime)) == 8


def test_an_interrupted_build_leaves_no_cache_behind(manifest, config, runtime):
    def interrupt(done, total):
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        features_for(manifest, config, runtime, interrupt)
    assert caches(runtime) == []


def test_what_a_killed_builder_left_is_swept_away(manifest, config, runtime):
    key = features_for(manifest, config, runtime).key
    folder = Path(runtime.cache) / "features" / key
    folder.rename(folder.with_name(f".{key}.unfinished"))
    features_for(manifest, config, runtime)
    assert caches(runtime) == [folder]


def test_a_folder_that_cannot_be_written_is_named(manifest, config, runtime):
    Path(runtime.cache).write_text("a file where a folder should be")
    with pytest.raises(UserError, match=r"cannot write the feature cache: .*set runtime\.cache"):
        features_for(manifest, config, runtime)


class Race:
    """One builder in the middle of its work, and another that comes second."""

    def __init__(self, manifest, config, runtime, monkeypatch) -> None:
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.results, self.arguments = [], (manifest, config, runtime)

        def slow(*arguments):
            self.begun.set()
            assert self.go_on.wait(200)
            yield from extract(*arguments)

        monkeypatch.setattr(cache, "extract", slow)
        self.first = threading.Thread(target=self.build)
        self.first.start()
        assert self.begun.wait(200)

    def build(self) -> None:
        self.results.append(features_for(*self.arguments))

    def end(self) -> None:
        self.go_on.set()
        self.first.join(200)


@pytest.fixture
def race(manifest, config, runtime, monkeypatch):
    race = Race(manifest, config, runtime, monkeypatch)
    yield race
    race.end()


def test_the_second_builder_says_that_it_waits_and_reads_what_the_first_made(race, caplog):
    race.begun.clear()
    second = threading.Thread(target=race.build)
    with caplog.at_level(logging.WARNING):
        second.start()
        while not caplog.records:
            assert second.is_alive()
        race.end()
        second.join(200)
    assert len(race.results) == 2
    assert not race.begun.is_set()
    (record,) = caplog.records
    assert "is extracting the same features; waiting" in record.message


def test_a_builder_that_never_ends_is_not_waited_for_for_ever(race, monkeypatch):
    monkeypatch.setattr(building, "PATIENCE", 0.0)
    with pytest.raises(UserError, match=r"another process has been extracting.*see whether it hangs"):
        race.build()


def test_parts_of_one_file_have_the_features_of_files_of_their_own(manifest, in_one_file, config, runtime):
    alone, parts = features_for(manifest, config, runtime), features_for(in_one_file, config, runtime)
    by_path = dict(zip((u.path for u in in_one_file.utterances), parts, strict=True))
    spoken = sorted(in_one_file.utterances, key=lambda u: u.part.start)
    assert parts.key != alone.key
    assert all(np.array_equal(by_path[u.path], own) for u, own in zip(spoken, alone, strict=True))


def test_another_part_of_the_same_file_is_another_cache(in_one_file, config, runtime):
    first = in_one_file.utterances[0]
    shorter = replace(first.part, end=first.part.end - 0.1)
    moved = replace(first, path=shorter.name("all.wav"), part=shorter)
    other = replace(in_one_file, utterances=(moved, *in_one_file.utterances[1:]))
    assert features_for(other, config, runtime).key != features_for(in_one_file, config, runtime).key
