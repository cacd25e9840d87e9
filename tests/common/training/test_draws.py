"""What chance decides: replayable, shared out, and from speech that is fit for it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.features.patches import PatchSource
from common.features.scaling import Scaling
from common.seeds import torch_stream
from common.training.distributed import Share
from common.training.draws import Dealer, Tape, normal, one_of, uniform

CPU = torch.device("cpu")


CHANCES = {"latents": normal(8), "wanted": one_of(range(4)), "mix": uniform(1, 1, 1)}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def dealer(bands):
    return Dealer(bands, "stage", 0, 4, CHANCES, Share(), CPU)


@pytest.fixture
def noisy(dealer):
    return replace(dealer, chances=CHANCES | {"noise": Tape(4, CPU, torch_stream("tape"))})


def test_a_step_can_be_drawn_again_in_any_order(dealer):
    forwards = [dealer.draw(step) for step in range(3)]
    backwards = [dealer.draw(step) for step in reversed(range(3))][::-1]
    assert all(same(one, other) for one, other in zip(forwards, backwards, strict=True))


@pytest.mark.parametrize("change", [{"stage": "another"}, {"seed": 1}])
def test_another_stage_or_seed_draws_other_latents(dealer, change):
    assert not torch.equal(dealer.draw(0)["latents"], replace(dealer, **change).draw(0)["latents"])
    assert not torch.equal(dealer.draw(0)["latents"], dealer.draw(1)["latents"])


def test_a_stage_draws_what_it_names_and_each_alone(dealer):
    assert dealer.draw(2).keys() == {"values", "labels", *CHANCES}
    for left_out in CHANCES:
        fewer = {name: chance for name, chance in CHANCES.items() if name != left_out}
        expected = {name: value for name, value in dealer.draw(2).items() if name != left_out}
        assert same(replace(dealer, chances=fewer).draw(2), expected)


def test_two_draws_of_one_kind_differ(dealer):
    twice = replace(dealer, chances={"gain": uniform(), "tilt": uniform()}).draw(0)
    assert not torch.equal(twice["gain"], twice["tilt"])


def test_the_shares_of_a_draw_make_the_whole(noisy):
    whole = noisy.draw(5)
    halves = [replace(noisy, share=Share(rank, 2)).draw(5) for rank in range(2)]
    assert same({name: torch.cat([half[name] for half in halves]) for name in whole}, whole)


def test_noise_is_a_patch_a_row_and_another_in_each_step(noisy):
    first, second = (noisy.draw(step)["noise"] for step in (2, 3))
    assert first.shape == (4, 1, 128, 128)
    assert first.std() == pytest.approx(1, abs=0.02)
    assert not torch.equal(first, second)


def source(emotions, count, **settings):
    """Speech of two seconds an utterance, in turn in each emotion."""
    labels = ("neutral", "angry", "sad", "happy")
    utterances = [
        Utterance(f"{number:03d}.wav", "anna", "one", 2.0, emotions[number % len(emotions)]) for number in range(count)
    ]
    log_mels = [np.full((128, 130), -6.0, np.float16)] * count
    manifest = Manifest("bands", Path(), labels, tuple(utterances))
    return PatchSource(log_mels, manifest, Scaling(-16.0, 4.0), 0, **settings)


def test_speech_without_any_emotion_is_refused_in_one_line_where_emotions_are_to_be_drawn():
    with pytest.raises(UserError, match="no utterance is labelled neutral or angry or sad or happy") as caught:
        source((None,), 9, balanced=True)
    assert "\n" not in str(caught.value)


def test_classes_are_drawn_alike_of_those_that_are_named_and_of_no_other():
    drawn = one_of((1, 3))(1000, torch_stream("classes"))
    assert torch.bincount(drawn, minlength=4).tolist() == [0, pytest.approx(500, abs=60), 0, pytest.approx(500, abs=60)]
    assert torch.equal(one_of(range(4))(50, torch_stream("a")), torch.randint(4, (50,), generator=torch_stream("a")))


def test_fewer_utterances_than_a_batch_are_drawn_more_than_once(config, around, fresh, stages):
    few = source(("neutral", "angry", "sad", "happy"), 4, balanced=True)
    large = config.model_copy(update={"finetuning": config.finetuning.model_copy(update={"batch": 8, "iterations": 1})})
    stages["finetuning"](fresh(large), few, large, 0, around)
    assert len(few.batch(0, 8, "finetuning").labels) == 8
