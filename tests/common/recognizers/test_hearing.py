"""A model hears a recording as scores were made of it, whatever its rate; what cannot be heard says why."""

import numpy as np
import pytest
import soundfile

from common.corpora import read_corpus
from common.corpora.audio import AudioError
from common.errors import UserError
from common.features.cache import features_for
from common.features.spaces import features_in
from common.features.vectors import space_of_vectors
from common.recognizers import recognizer
from common.recognizers.hearing import Listener, recordings_in
from common.settings import FeatureConfig, VectorConfig


@pytest.fixture
def model(model_of):
    return model_of(recognizer("cnn"))


@pytest.fixture
def listener(model, around):
    return Listener(model, around.acceleration)


@pytest.fixture
def wav(tmp_path):
    """A recording of noise under a slow swell."""

    def make(seconds=3.0, rate=16_000, loud=0.3, name="a.wav"):
        time = np.arange(int(seconds * rate)) / rate
        noise = np.random.default_rng(0).standard_normal(len(time)) * np.sin(time) ** 2
        soundfile.write(tmp_path / name, (loud * noise).clip(-1, 1), rate)
        return tmp_path / name

    return make


def test_probabilities_are_of_all_emotions_and_sum_to_one(listener, wav):
    heard = listener.hear(wav())
    assert heard.labels == ("neutral", "angry", "sad", "happy")
    assert sum(heard.probabilities) == pytest.approx(1)
    assert heard.emotion == heard.labels[np.argmax(heard.probabilities)]
    assert (heard.seconds, heard.rate, heard.note, heard.windows) == (3.0, 16_000, "", ())


@pytest.mark.parametrize("trim", [0.0, 20.0])
def test_it_hears_what_scores_are_made_of(trim, model_of, around, make_speech, tmp_path, config):
    model = model_of(recognizer("cnn"), features=FeatureConfig(trim=trim))
    listener = Listener(model, around.acceleration)
    manifest = read_corpus("table", make_speech(tmp_path / "speech"))
    first = manifest.sessions[0]
    manifest = manifest.where(lambda one: one.session == first)
    runtime = config.runtime.model_copy(update={"cache": str(tmp_path / "cache"), "workers": 1})
    features = features_for(manifest, FeatureConfig(trim=trim), runtime)
    scored = model.predictor(around.acceleration).utterances(model.card.scaling.apply(one) for one in features)
    heard = [listener.hear(manifest.root / one.path).probabilities for one in manifest.utterances]
    np.testing.assert_allclose(heard, scored, atol=1e-5)


def test_it_makes_a_session_alike_as_scores_had_it(model_of, around, make_speech, tmp_path, config):
    own = FeatureConfig(normalisation="session")
    model = model_of(recognizer("cnn"), features=own)
    manifest = read_corpus("table", make_speech(tmp_path / "speech"))
    first = manifest.sessions[0]
    manifest = manifest.where(lambda one: one.session == first)
    runtime = config.runtime.model_copy(update={"cache": str(tmp_path / "cache"), "workers": 1})
    features = features_for(manifest, own, runtime)
    scored = model.predictor(around.acceleration).utterances(features.utterances(model.card.scaling))
    paths = [manifest.root / one.path for one in manifest.utterances]
    assert model.card.together > 1
    with pytest.raises(UserError, match=r"compares a recording with others.*features\.normalisation = public"):
        Listener(model, around.acceleration, paths[:1])
    listener = Listener(model, around.acceleration, paths)
    heard = [listener.hear(path).probabilities for path in paths]
    np.testing.assert_allclose(heard, scored, atol=1e-5)


def test_windows_cover_the_recording_and_their_mean_is_the_whole(listener, wav):
    heard = listener.hear(wav(seconds=5.0), windows=True)
    starts, ends = [one.start for one in heard.windows], [one.end for one in heard.windows]
    assert starts[0] == 0
    assert ends[-1] == pytest.approx(5.0)
    assert starts == sorted(starts)
    assert all(end - start == pytest.approx(2.04, abs=0.01) for start, end in zip(starts, ends, strict=True))
    assert starts[1] == pytest.approx(0.51, abs=0.01)
    mean = np.mean([one.probabilities for one in heard.windows], axis=0)
    np.testing.assert_allclose(mean, heard.probabilities, atol=1e-5)


def test_a_short_recording_has_one_window_that_ends_with_it(listener, wav):
    (window,) = listener.hear(wav(seconds=0.5), windows=True).windows
    assert (window.start, window.end) == (0, pytest.approx(0.5))


def test_another_rate_is_brought_to_ours_and_a_low_one_is_told(listener, wav):
    assert listener.hear(wav(rate=48_000)).note == ""
    note = listener.hear(wav(rate=8_000)).note
    assert note == "recorded at 8000 Hz, so nothing above 4000 Hz could be heard"


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"seconds": 0.05}, r"it lasts 0\.05 s, less than the 0\.2 s"),
        ({"loud": 0.0}, "it is silent"),
    ],
    ids=["50 ms", "silent"],
)
def test_what_cannot_be_heard_says_why(made, reason, listener, wav):
    with pytest.raises(AudioError, match=reason):
        listener.hear(wav(**made))


def test_quiet_speech_is_heard(listener, wav):
    assert listener.hear(wav(loud=0.001)).emotion


def test_files_and_folders_name_recordings_once_each_in_order(tmp_path):
    for name in ("b/2.wav", "b/1.FLAC", "b/c/3.ogg", "b/notes.txt", "b/._1.wav", "a.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    found = recordings_in([tmp_path / "a.wav", tmp_path / "b", tmp_path / "a.wav"])
    assert [path.relative_to(tmp_path).as_posix() for path in found] == ["a.wav", "b/1.FLAC", "b/2.wav", "b/c/3.ogg"]


def test_a_folder_without_recordings_is_named(tmp_path):
    with pytest.raises(UserError, match="no recording in the folder"):
        recordings_in([tmp_path])


@pytest.fixture
def of_vectors(model_of):
    """A support vector machine, by a way of scaling."""

    def make(normalisation):
        vectors = VectorConfig(normalisation=normalisation)
        return model_of(recognizer("svm"), space_of_vectors(vectors), vectors=vectors)

    return make


@pytest.mark.parametrize("normalisation", ["training", "session"])
def test_vectors_are_heard_as_scores_are_made_of_them(normalisation, of_vectors, around, make_speech, tmp_path, config):
    model = of_vectors(normalisation)
    manifest = read_corpus("table", make_speech(tmp_path / "speech"))
    first = manifest.sessions[0]
    manifest = manifest.where(lambda one: one.session == first)
    runtime = config.runtime.model_copy(update={"cache": str(tmp_path / "cache"), "workers": 1})
    features = features_in(model.card.space, manifest, model.card, runtime)
    scored = model.predictor(around.acceleration).utterances(features.utterances(None))
    paths = [manifest.root / one.path for one in manifest.utterances]
    listener = Listener(model, around.acceleration, session=paths)
    np.testing.assert_allclose([listener.hear(path).probabilities for path in paths], scored, atol=1e-4)
    windows = listener.hear(paths[0], windows=True).windows
    assert all(sum(one.probabilities) == pytest.approx(1) for one in windows)


def test_a_model_that_scales_by_the_session_wants_recordings_together(of_vectors, around, wav):
    paths = [wav(name=f"{number}.wav") for number in range(3)]
    with pytest.raises(UserError, match=r"3 usable recordings, .*; give 8 or more"):
        Listener(of_vectors("session"), around.acceleration, session=paths)
    assert Listener(of_vectors("training"), around.acceleration, session=paths).hear(paths[0]).emotion


def test_vectors_of_silence_say_why(of_vectors, around, wav):
    with pytest.raises(AudioError, match="it is silent"):
        Listener(of_vectors("training"), around.acceleration).hear(wav(loud=0.0))


def test_many_are_heard_in_their_order_as_each_alone_and_what_cannot_be_heard_has_its_reason(listener, wav):
    paths = [wav(seconds=1 + number / 4, name=f"{number}.wav") for number in range(20)]
    paths[3] = wav(seconds=0.05, name="short.wav")
    heard = list(listener.hear_all(paths, windows=True))
    assert [one.path for one in heard if not isinstance(one, AudioError)] == [*paths[:3], *paths[4:]]
    assert isinstance(heard[3], AudioError)
    for number in (0, 1, 19):
        alone = listener.hear(paths[number], windows=True)
        np.testing.assert_allclose(heard[number].probabilities, alone.probabilities, atol=1e-5)
        assert len(heard[number].windows) == len(alone.windows)


def test_the_first_is_heard_before_any_other_is_read(listener, wav, tmp_path):
    heard = listener.hear_all([wav(), *(tmp_path / f"{number}.wav" for number in range(3))])
    assert next(heard).emotion
    assert all(isinstance(one, AudioError) for one in heard)


def test_one_recording_is_one_recording(of_vectors, around, wav):
    with pytest.raises(UserError, match=r"^1 usable recording, and"):
        Listener(of_vectors("session"), around.acceleration, session=[wav()])
    assert of_vectors("session").card.given.startswith("FOLDER, with 8 or more recordings")
    assert of_vectors("training").card.given == "RECORDING.wav"


def test_too_few_recordings_of_a_session_come_with_the_reason_of_the_first(of_vectors, around, wav, tmp_path):
    paths = [tmp_path / "gone.wav", wav()]
    with pytest.raises(UserError, match=r"1 usable recording, .*; .*gone.wav: no such file"):
        Listener(of_vectors("session"), around.acceleration, session=paths)
