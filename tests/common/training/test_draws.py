"""What chance decides: replayable, shared out, and from speech that is fit for it."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.features.patches import PatchSource
from common.features.scaling import Scaling
from common.training.distributed import Share
from common.training.draws import Dealer
from common.training.stages import Pair, finetune

CPU = torch.device("cpu")


def as_list(draw):
    return [getattr(draw, field.name) for field in fields(draw)]


@pytest.fixture
def dealer(bands, config):
    return Dealer(bands, "stage", 0, 4, config.network, Share(), CPU)


def test_a_step_can_be_drawn_again_in_any_order(dealer):
    forwards = [as_list(dealer.draw(step)) for step in range(3)]
    backwards = [as_list(dealer.draw(step)) for step in reversed(range(3))][::-1]
    for one, other in zip(forwards, backwards, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("change", [{"stage": "another"}, {"seed": 1}])
def test_another_stage_or_seed_draws_other_latents(dealer, change):
    assert not torch.equal(dealer.draw(0).latents, replace(dealer, **change).draw(0).latents)
    assert not torch.equal(dealer.draw(0).latents, dealer.draw(1).latents)


def test_the_shares_of_a_draw_make_the_whole(dealer):
    whole = dealer.draw(5)
    halves = [replace(dealer, share=Share(rank, 2)).draw(5) for rank in range(2)]
    for name in ("patches", "labels", "latents", "wanted", "mix"):
        assert torch.equal(torch.cat([getattr(half, name) for half in halves]), getattr(whole, name))
    assert torch.equal(torch.cat([half.chances for half in halves], dim=1), whole.chances)


def test_noise_comes_for_those_who_ask_and_leaves_all_else_as_it_was(dealer):
    without, with_it = dealer.draw(2), replace(dealer, noisy=True).draw(2)
    *others, silence = as_list(without)
    *same, noise = as_list(with_it)
    assert all(torch.equal(a, b) for a, b in zip(others, same, strict=True))
    assert noise.shape == (3, *without.patches.shape)
    assert noise.std() == pytest.approx(1, abs=0.02)
    assert not torch.equal(noise, replace(dealer, noisy=True).draw(3).noise)
    assert not silence.any()
    halves = [replace(dealer, noisy=True, share=Share(rank, 2)).draw(2).noise for rank in range(2)]
    assert torch.equal(torch.cat(halves, dim=1), noise)


def source(emotions, count, **settings):
    """Speech of two seconds an utterance, in turn in each emotion."""
    labels = ("neutral", "angry", "sad", "happy")
    utterances = [
        Utterance(f"{number:03d}.wav", "anna", "one", 2.0, emotions[number % len(emotions)]) for number in range(count)
    ]
    log_mels = [np.full((128, 130), -6.0, np.float16)] * count
    manifest = Manifest("bands", Path(), labels, tuple(utterances))
    return PatchSource(log_mels, manifest, Scaling(-16.0, 4.0), 0, **settings)


def test_an_emotion_without_an_utterance_is_refused_in_one_line():
    with pytest.raises(UserError, match="no utterance is labelled happy") as caught:
        source(("neutral", "angry", "sad"), 9, balanced=True)
    assert "\n" not in str(caught.value)


def test_fewer_utterances_than_a_batch_are_drawn_more_than_once(config, around):
    few = source(("neutral", "angry", "sad", "happy"), 4, balanced=True)
    large = config.model_copy(update={"finetuning": config.finetuning.model_copy(update={"batch": 8, "iterations": 1})})
    finetune(Pair.fresh(large), few, large, 0, around)
    assert len(few.batch(0, 8, "finetuning").labels) == 8
