"""Samples are what was asked for, the same every time, and their files tell what they are."""

import json

import numpy as np
import pytest
import soundfile
from PIL import Image
from safetensors import safe_open

from common.errors import UserError
from server.generators import open_generator
from simulations import sampling
from simulations.sampling import Order, draw, save_arrays, save_sheet, save_sounds

EMOTIONS = ("neutral", "angry", "sad", "happy")


@pytest.fixture
def generator(release_file):
    return open_generator(release_file)


@pytest.fixture
def untuned(pretrained_folder):
    return open_generator(pretrained_folder)


def read(path):
    with safe_open(path, "numpy") as file:
        return file.get_tensor("patches"), file.get_tensor("labels"), json.loads(file.metadata()["eyesoff"])


def test_all_emotions_come_one_after_another(generator):
    samples = draw(generator, Order(number=3))
    assert samples.log_mels.shape == (12, 128, 128)
    assert samples.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    assert list(samples.by_emotion()) == list(EMOTIONS)


def test_log_mels_are_in_their_own_unit(generator):
    log_mels = draw(generator, Order(number=1)).log_mels
    middle = (generator.origin.scaling.low + generator.origin.scaling.high) / 2
    assert log_mels.dtype == np.float32
    assert log_mels.mean() == pytest.approx(middle, abs=1)


def test_one_emotion_is_the_same_without_the_others(generator):
    alone = draw(generator, Order(number=2, emotion="sad"))
    assert alone.labels.tolist() == [2, 2]
    assert np.array_equal(alone.log_mels, draw(generator, Order(number=2)).by_emotion()["sad"])


def test_the_seed_the_emotion_and_the_scale_make_a_difference(generator):
    usual = draw(generator, Order(number=1, emotion="sad")).log_mels
    for other in (Order(1, seed=1, emotion="sad"), Order(1, emotion="angry"), Order(1, emotion="sad", latent_scale=2)):
        assert not np.array_equal(usual, draw(generator, other).log_mels)


def test_paired_samples_differ_in_their_emotion_alone(generator, monkeypatch):
    seen = []
    decode = generator.sampler.decode
    monkeypatch.setattr(
        generator.sampler, "decode", lambda latents, wanted: seen.append(latents) or decode(latents, wanted)
    )
    samples = draw(generator, Order(number=2, paired=True))
    assert samples.labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3]
    assert len(seen) == 4
    assert all(latents.equal(seen[0]) for latents in seen)
    assert not seen[0][1].equal(seen[0][0])
    assert len(np.unique(samples.log_mels[:4].reshape(4, -1), axis=0)) == 4


def test_an_untuned_generator_is_asked_for_no_emotion(untuned):
    samples = draw(untuned, Order(number=2))
    assert samples.labels.tolist() == [-1, -1]
    assert list(samples.by_emotion()) == ["unconditioned"]


@pytest.mark.parametrize("order", [Order(1, emotion="sad"), Order(1, paired=True)], ids=["emotion", "paired"])
def test_an_emotion_of_an_untuned_generator_is_refused(order, untuned):
    with pytest.raises(UserError, match="knows no emotion yet: pretrained; leave out --emotion and --paired"):
        draw(untuned, order)


def test_an_unknown_emotion_is_answered_with_those_that_are_known(generator):
    with pytest.raises(UserError, match=r"no such emotion: joyful; .* knows neutral, angry, sad, happy"):
        draw(generator, Order(1, emotion="joyful"))


def test_pairs_of_one_emotion_are_refused(generator):
    with pytest.raises(UserError, match="--paired shows every emotion"):
        draw(generator, Order(1, emotion="sad", paired=True))


def test_the_array_file_says_what_its_numbers_mean(generator, tmp_path):
    samples = draw(generator, Order(number=2, seed=7, emotion="angry"))
    path = save_arrays(samples, tmp_path)
    assert path.name == f"{generator.origin.name}-seed7-angry.safetensors"
    patches, labels, about = read(path)
    assert np.array_equal(patches, samples.log_mels)
    assert labels.tolist() == [1, 1]
    assert about["labels"] == list(EMOTIONS)
    assert about["scaling"] == {"low": -16.0, "high": 5.5}
    assert about["source"] == {"name": generator.origin.name, "sha256": generator.origin.sha256}
    assert (about["seed"], about["emotion"], about["paired"], about["latent_scale"]) == (7, "angry", False, 1.0)
    assert about["features"]["hop"] == 256


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (Order(1), "seed0-all"),
        (Order(1, paired=True), "seed0-paired-all"),
        (Order(1, seed=3, emotion="sad", latent_scale=1.3), "seed3-scale1.3-sad"),
    ],
)
def test_a_name_tells_the_order(order, name, generator, tmp_path):
    assert save_arrays(draw(generator, order), tmp_path).stem == f"{generator.origin.name}-{name}"


def test_the_same_order_gives_the_same_files_bit_by_bit(release_file, tmp_path):
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        samples = draw(open_generator(release_file), Order(number=1, emotion="happy"))
        paths = [save_arrays(samples, folder), save_sheet(samples, folder)]
        paths += save_sounds(samples, folder, lambda done, total: None)
        made.append({path.name: path.read_bytes() for path in paths})
    assert len(made[0]) == 3
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("order", "rows", "columns"),
    [
        (Order(20), list(EMOTIONS), [str(number) for number in range(1, 9)]),
        (Order(2, paired=True), ["latent 1", "latent 2"], list(EMOTIONS)),
        (Order(20, paired=True), [f"latent {number}" for number in range(1, 9)], list(EMOTIONS)),
        (Order(16, emotion="sad"), ["sad 1 to 4", "sad 5 to 8", "sad 9 to 12", "sad 13 to 16"], [""] * 4),
        (Order(5, emotion="sad"), ["sad 1 to 3", "sad 4 to 5"], [""] * 3),
        (Order(1, emotion="sad"), ["sad 1"], [""]),
    ],
    ids=["all", "paired", "paired many", "one", "uneven", "single"],
)
def test_the_picture_is_laid_out_for_comparison(order, rows, columns, generator, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(sampling, "draw_spectrograms", lambda *arguments: drawn.append(arguments))
    samples = draw(generator, order)
    save_sheet(samples, tmp_path)
    ((path, shown, headings, features, title),) = drawn
    assert (list(shown), headings, path.suffix) == (rows, columns, ".png")
    assert features == generator.origin.features
    assert title == f"{generator.origin.name}, seed 0"
    for index, log_mels in enumerate(shown.values()):
        if order.paired:
            assert np.array_equal(log_mels, samples.log_mels[4 * index : 4 * index + 4])


def test_an_uneven_picture_can_be_drawn(generator, tmp_path):
    with Image.open(save_sheet(draw(generator, Order(number=3, emotion="happy")), tmp_path)) as picture:
        assert min(picture.size) > 200


def test_sounds_are_16_bit_and_as_long_as_a_patch(generator, tmp_path):
    heard = []
    samples = draw(generator, Order(number=1, emotion="happy"))
    (path,) = save_sounds(samples, tmp_path, lambda *counts: heard.append(counts))
    assert path.name == f"{generator.origin.name}-seed0-happy-001.wav"
    told = soundfile.info(path)
    assert (told.subtype, told.samplerate, told.frames) == ("PCM_16", 16_000, 127 * 256)
    assert heard == [(1, 1)]


def test_of_many_samples_the_first_of_each_emotion_are_heard(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "HEARD", 8)
    monkeypatch.setattr(sampling, "Inversion", lambda features: lambda log_mel: log_mel[0])
    paths = save_sounds(draw(generator, Order(number=5)), tmp_path, lambda done, total: None)
    assert [path.stem.split("seed0-")[1] for path in paths] == [
        f"{emotion}-00{index}" for emotion in EMOTIONS for index in (1, 2)
    ]
