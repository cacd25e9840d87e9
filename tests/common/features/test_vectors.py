"""Vectors are extracted once, scaled as a setting says, and served as examples."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from common.errors import UserError, UserErrors
from common.features import vectors
from common.features.functionals import NAMES
from common.features.vectors import VectorSource, identity_of_vectors, space_of_vectors, vectors_for
from common.settings import VectorConfig
from common.spaces import Vectors


@pytest.fixture
def settings() -> VectorConfig:
    return VectorConfig()


@pytest.fixture
def sessions(manifest):
    """Two sessions, in the second of which everybody speaks ten times as softly."""
    utterances = []
    for number, utterance in enumerate(manifest.utterances):
        session = "soft" if number % 2 else "loud"
        if number % 2:
            samples, rate = soundfile.read(manifest.root / utterance.path)
            soundfile.write(manifest.root / utterance.path, 0.1 * samples, rate)
        utterances.append(replace(utterance, session=session))
    return replace(manifest, utterances=tuple(utterances))


def test_a_vector_an_utterance_in_the_manifests_order(manifest, settings, runtime) -> None:
    found = vectors_for(manifest, settings, runtime)
    assert found.raw.shape == (8, len(NAMES))
    durations = found.raw[:, NAMES.index("duration")]
    assert (np.diff(durations) > 0).all()


def test_they_are_extracted_once(manifest, settings, runtime, monkeypatch) -> None:
    first = vectors_for(manifest, settings, runtime)
    monkeypatch.setattr(vectors, "_vector", lambda *words: pytest.fail("extracted again"))
    assert vectors_for(manifest, settings, runtime).raw.tobytes() == first.raw.tobytes()


def test_parts_of_one_file_have_the_vectors_of_files_of_their_own(manifest, in_one_file, settings, runtime) -> None:
    alone, parts = vectors_for(manifest, settings, runtime), vectors_for(in_one_file, settings, runtime)
    spoken = sorted(range(8), key=lambda number: in_one_file.utterances[number].part.start)
    assert parts.key != alone.key
    assert np.array_equal(parts.raw[spoken], alone.raw)


@pytest.mark.parametrize("change", [{"trim": 0.0}, {"trim": 30.0}])
def test_another_setting_makes_another_cache_and_identity(manifest, settings, runtime, change) -> None:
    other = settings.model_copy(update=change)
    assert vectors_for(manifest, other, runtime).key != vectors_for(manifest, settings, runtime).key
    assert identity_of_vectors(other) != identity_of_vectors(settings)


def test_normalisation_is_no_part_of_what_is_kept(manifest, settings, runtime) -> None:
    other = settings.model_copy(update={"normalisation": "training"})
    assert vectors_for(manifest, other, runtime).key == vectors_for(manifest, settings, runtime).key
    assert identity_of_vectors(other) == identity_of_vectors(settings)


@pytest.mark.slow
def test_any_number_of_workers_makes_the_same_bits(manifest, settings, runtime, monkeypatch) -> None:
    monkeypatch.setattr(vectors, "WORTH_PROCESSES", 0.0)
    kept = []
    for workers in (1, 2):
        own = runtime.model_copy(update={"workers": workers, "cache": f"{runtime.cache}{workers}"})
        kept.append(vectors_for(manifest, settings, own).raw.tobytes())
    assert kept[0] == kept[1]


def _spoil(root: Path) -> dict[str, str]:
    time = np.arange(16_000) / 16_000
    soundfile.write(root / "0.wav", np.zeros(16_000), 16_000)
    soundfile.write(root / "1.wav", np.sin(time * 900)[:1200], 16_000)
    soundfile.write(root / "2.wav", np.sign(np.sin(time * 900)), 16_000, subtype="FLOAT")
    (root / "3.wav").write_bytes(b"")
    return {"0.wav": "silent", "1.wav": "too short", "2.wav": "clipped", "3.wav": "empty file"}


def test_files_that_cannot_be_used_are_named_each_with_its_reason(manifest, settings, runtime) -> None:
    reasons = _spoil(manifest.root)
    with pytest.raises(UserErrors) as error:
        vectors_for(manifest, settings, runtime)
    assert len(error.value.problems) == 4
    for problem, (path, reason) in zip(error.value.problems, reasons.items(), strict=True):
        assert problem.startswith(f"{path}: {reason}")


def test_or_left_out_and_recorded(manifest, settings, runtime) -> None:
    _spoil(manifest.root)
    found = vectors_for(manifest, settings, runtime, skip_bad=True)
    assert [utterance.path for utterance in found.manifest.utterances] == ["4.wav", "5.wav", "6.wav", "7.wav"]
    assert [file.path for file in found.manifest.skipped] == ["0.wav", "1.wav", "2.wav", "3.wav"]


def test_a_number_that_is_none_names_its_file_and_its_name(manifest, settings, runtime, monkeypatch) -> None:
    own = vectors.feature_set("functionals")

    def extract(waveform):
        vector = own.extract(waveform)
        vector[5] = np.nan if len(waveform) < 16_000 else 0
        return vector

    monkeypatch.setattr(vectors, "feature_set", lambda *words: replace(own, extract=extract))
    with pytest.raises(UserErrors, match=r"0\.wav: log_energy\.level\.percentile_25 of functionals is no number"):
        vectors_for(manifest, settings, runtime)


def test_a_part_has_its_own_vectors(manifest, settings, runtime) -> None:
    whole = vectors_for(manifest, settings, runtime)
    part = whole.of(manifest.where(lambda utterance: utterance.path in ("2.wav", "5.wav")))
    assert part.raw.tobytes() == whole.raw[[2, 5]].tobytes()


class TestScaling:
    """By whose mean and deviation."""

    def test_each_session_has_mean_0_and_deviation_1(self, sessions, settings, runtime) -> None:
        found = vectors_for(sessions, settings, runtime)
        for session in ("loud", "soft"):
            numbers = [n for n, one in enumerate(sessions.utterances) if one.session == session]
            rows = found.scaled[numbers]
            energy = rows[:, NAMES.index("log_energy.level.mean")]
            assert float(energy.mean()) == pytest.approx(0, abs=1e-4)
            assert float(energy.std(correction=0)) == pytest.approx(1, abs=1e-3)

    def test_raw_ones_differ_by_the_level(self, sessions, settings, runtime) -> None:
        raw = settings.model_copy(update={"normalisation": "training"})
        energy = vectors_for(sessions, raw, runtime).scaled[:, NAMES.index("log_energy.level.mean")]
        assert float(energy[::2].mean() - energy[1::2].mean()) > 3

    def test_another_session_beside_it_moves_nothing(self, sessions, settings, runtime) -> None:
        whole = vectors_for(sessions, settings, runtime)
        alone = whole.of(sessions.where(lambda utterance: utterance.session == "loud"))
        assert torch.equal(alone.scaled, whole.scaled[::2])

    def test_a_feature_that_is_constant_in_a_session_becomes_0(self, manifest, settings, runtime) -> None:
        found = vectors_for(manifest, settings, runtime)
        found.raw[:, 7] = 123.0
        assert set(found.scaled[:, 7].tolist()) == {0.0}

    def test_nothing_is_farther_than_ten_deviations(self, manifest, settings, runtime) -> None:
        many = replace(manifest, utterances=manifest.utterances[:1])
        raw = np.zeros((200, 4), np.float32)
        raw[0] = 1e6
        utterances = tuple(replace(manifest.utterances[0], path=f"{number:03}.wav") for number in range(200))
        many = replace(manifest, utterances=utterances)
        space = Vectors(set="four", size=4, scale="session")
        assert float(vectors.VectorFeatures(many, "key", raw, space, settings).scaled.max()) == 10.0


def test_the_space_says_set_size_and_scale(settings) -> None:
    assert space_of_vectors(settings) == Vectors(set="functionals", size=1715, scale="session")
    raw = settings.model_copy(update={"normalisation": "training"})
    assert space_of_vectors(raw).scale == "raw"


@pytest.mark.parametrize(("name", "word"), [("IS11", "no such set"), ("functionals:IS11", "one set")])
def test_a_set_that_is_not_there_is_named(name, word) -> None:
    with pytest.raises(UserError, match=word):
        space_of_vectors(VectorConfig(set=name))


class TestSource:
    """Batches of rows."""

    @pytest.fixture
    def source(self, manifest):
        rows = torch.arange(8.0)[:, None].repeat(1, 3)
        return VectorSource(rows, manifest, 5)

    def test_everything_is_each_row_once(self, source) -> None:
        whole = source.everything()
        assert whole.values[:, 0].tolist() == list(range(8))
        assert whole.labels.tolist() == [0, 1, 2, 3] * 2

    def test_a_steps_batch_is_the_same_whatever_was_asked_before(self, source, manifest) -> None:
        again = VectorSource(torch.arange(8.0)[:, None].repeat(1, 3), manifest, 5)
        _ = source.batch(3, 16)
        one, other = source.batch(7, 16), again.batch(7, 16)
        assert torch.equal(one.values, other.values)
        assert not torch.equal(one.values, source.batch(8, 16).values)

    def test_labels_go_with_their_rows(self, source) -> None:
        drawn = source.batch(0, 64)
        assert torch.equal(drawn.values[:, 0].long() % 4, drawn.labels)

    def test_balanced_draws_even_emotions_of_those_that_are_there(self, manifest) -> None:
        some = manifest.where(lambda utterance: utterance.path in ("0.wav", "2.wav", "4.wav"))
        source = VectorSource(torch.zeros(3, 1), some, 5, balanced=True)
        counts = torch.bincount(source.batch(0, 3000).labels, minlength=4).tolist()
        assert counts[1] == counts[3] == 0
        assert counts[0] == pytest.approx(1500, abs=150)

    def test_unbalanced_draws_as_they_are(self, manifest) -> None:
        some = manifest.where(lambda utterance: utterance.path in ("0.wav", "2.wav", "4.wav"))
        counts = torch.bincount(VectorSource(torch.zeros(3, 1), some, 5).batch(0, 3000).labels).tolist()
        assert counts[0] == pytest.approx(2000, abs=150)

    def test_what_is_no_number_is_not_served(self, manifest) -> None:
        rows = torch.zeros(8, 2)
        rows[3, 1] = torch.nan
        with pytest.raises(UserError, match="not finite"):
            VectorSource(rows, manifest, 0)

    def test_nobody_is_refused(self, manifest) -> None:
        with pytest.raises(UserError, match="no utterance"):
            VectorSource(torch.zeros(0, 2), manifest.where(lambda utterance: False), 0)
