"""Any step's batch comes in any order; windows lose no frame; short utterances are repeated."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.corpora.manifest import Manifest, Utterance
from common.features.patches import UNLABELLED, PatchSource, fill, windows
from common.features.scaling import Scaling
from common.space import SIDE

LABELS = ("neutral", "angry", "sad", "happy")
EMOTIONS = ("neutral", "neutral", "neutral", "angry", "sad", "happy")
LENGTHS = (128, 60, 500, 400, 129, 300)
SCALING = Scaling(0.0, 1000.0)


def corpus(emotions) -> tuple[list[np.ndarray], Manifest]:
    """Log-mels that tell where they come from: the first band counts frames, the second holds the utterance."""
    log_mels = []
    for number, frames in enumerate(LENGTHS):
        log_mel = np.zeros((128, frames), np.float16)
        log_mel[0], log_mel[1] = np.arange(frames), number
        log_mels.append(log_mel)
    utterances = [Utterance(f"{n}.wav", "anna", "one", 1.0, emotion) for n, emotion in enumerate(emotions)]
    return log_mels, Manifest("counted", Path(), LABELS, tuple(utterances))


def source(seed=0, emotions=EMOTIONS, balanced=False) -> PatchSource:
    return PatchSource(*corpus(emotions), SCALING, seed, balanced=balanced)


def told(patches: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The first frame's number and the utterance of each patch."""
    levels = SCALING.invert(patches).round().int()
    return levels[:, 0, 0, 0], levels[:, 0, 1, 0]


def test_the_same_step_gives_the_same_batch_in_any_order():
    forwards = [source().batch(step, 8, "tuning") for step in range(4)]
    other = source()
    backwards = [other.batch(step, 8, "tuning") for step in reversed(range(4))]
    for one, again in zip(forwards, reversed(backwards), strict=True):
        assert torch.equal(one.values, again.values)
        assert torch.equal(one.labels, again.labels)


@pytest.mark.parametrize(("seed", "step", "stream"), [(1, 0, "tuning"), (0, 1, "tuning"), (0, 0, "scoring")])
def test_another_seed_step_or_stream_gives_another_batch(seed, step, stream):
    first, second = source().batch(0, 8, "tuning"), source(seed).batch(step, 8, stream)
    assert not torch.equal(first.values, second.values)


def test_a_patch_is_a_stretch_of_its_utterance_and_bears_its_label():
    batch = source().batch(0, 64)
    starts, numbers = told(batch.values)
    assert batch.values.shape == (64, 1, 128, 128)
    assert batch.values.dtype == torch.float32
    for patch, start, number, label in zip(batch.values, starts, numbers, batch.labels, strict=True):
        frames = SCALING.invert(patch[0, 0]).round().int()
        expected = (torch.arange(SIDE) + start) % LENGTHS[number]  # a short one is repeated
        assert torch.equal(frames, expected.int())
        assert LABELS[label] == EMOTIONS[number]


def test_utterances_come_alike_whatever_their_length():
    _, numbers = told(torch.cat([source().batch(step, 100).values for step in range(12)]))
    assert torch.bincount(numbers, minlength=6).float() == pytest.approx(200, abs=50)


def test_every_start_comes_up_from_the_first_to_the_last():
    starts, numbers = told(torch.cat([source().batch(step, 100).values for step in range(6)]))
    assert set(starts[numbers == 4].tolist()) == {0, 1}
    assert set(starts[numbers == 0].tolist()) == {0}


def test_balanced_batches_hold_every_emotion_alike_and_others_do_not():
    def counts(balanced: bool) -> torch.Tensor:
        subject = source(balanced=balanced)
        return torch.bincount(torch.cat([subject.batch(step, 100).labels for step in range(12)]), minlength=4).float()

    assert counts(balanced=True) == pytest.approx(300, abs=60)
    assert counts(balanced=False)[0] == pytest.approx(600, abs=60)


def test_emotions_that_are_not_there_are_not_drawn_and_the_others_are_alike():
    subject = source(emotions=("angry", "angry", "angry", "angry", "sad", None), balanced=True)
    labels = torch.cat([subject.batch(step, 100).labels for step in range(12)])
    assert torch.bincount(labels, minlength=4).float() == pytest.approx([0, 600, 600, 0], abs=90)
    assert set(labels.tolist()) == {1, 2}


def test_unlabelled_utterances_are_drawn_without_a_class():
    assert set(source(emotions=(None,) * 6).batch(0, 8).labels.tolist()) == {UNLABELLED}


def test_features_of_another_manifest_are_refused():
    log_mels, manifest = corpus(EMOTIONS)
    with pytest.raises(ValueError, match="features of 5 utterances for a manifest of 6"):
        PatchSource(log_mels[:5], manifest, SCALING, 0)


def test_a_short_utterance_is_repeated():
    patches = source().batch(0, 64).values
    short = patches[told(patches)[1] == 1]
    assert len(short)
    assert (SCALING.invert(short[:, 0, 0, -1]).round() == 127 % 60).all()


@given(st.integers(1, 300))
def test_filling_keeps_what_was_there_and_reaches_a_patch(frames):
    log_mel = torch.rand(2, frames)
    filled = fill(log_mel)
    assert filled.shape == (2, max(frames, SIDE))
    assert torch.equal(filled[:, :frames], log_mel)


@given(st.integers(1, 600), st.integers(1, 200))
def test_windows_lose_no_frame_and_end_at_the_end(frames, hop):
    cut = windows(torch.arange(frames).expand(128, -1).float(), hop)
    starts = cut[:, 0, 0, 0]
    assert cut.shape[1:] == (1, 128, SIDE)
    assert set(cut[:, 0, 0].flatten().tolist()) == set(range(frames)) or hop > SIDE
    assert (starts[:-1] == torch.arange(len(starts) - 1) * hop).all()
    assert cut[-1, 0, 0, -1] == frames - 1 or frames < SIDE
    assert len(starts.unique()) == len(starts)
