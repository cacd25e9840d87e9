"""Every synthesizer of the registry keeps the same promises."""

import pytest
import torch

from common.errors import UserError
from common.seeds import torch_stream
from common.settings import hash_identity
from common.synthesizers import SYNTHESIZERS, synthesizer

every = pytest.mark.parametrize("one", SYNTHESIZERS.values(), ids=SYNTHESIZERS)


def released(one, speech, config, around, seed=1):
    return one.release(one.fit(speech, config, seed, around))


@every
def test_what_is_released_can_be_sampled_in_half_precision(one, speech, config, around):
    weights = {name: value.half() for name, value in released(one, speech, config, around).items()}
    patches = one.sampler(weights, config.network, None).sample(torch.arange(4).repeat(2), torch_stream("a"))
    assert patches.shape == (8, 1, 128, 128)
    assert patches.dtype == torch.float32
    assert patches.isfinite().all()
    assert patches.abs().max() <= 1


@every
def test_the_same_stream_gives_the_same_patches_and_another_gives_others(one, speech, config, around):
    sampler = one.sampler(released(one, speech, config, around), config.network, None)
    wanted = torch.tensor([0, 1, 2])
    assert torch.equal(sampler.sample(wanted, torch_stream("a")), sampler.sample(wanted, torch_stream("a")))
    assert not torch.equal(sampler.sample(wanted, torch_stream("a")), sampler.sample(wanted, torch_stream("b")))


@every
def test_the_stream_is_spent_alike_whatever_is_wanted(one, speech, config, around):
    sampler = one.sampler(released(one, speech, config, around), config.network, None)
    streams = [torch_stream("a"), torch_stream("a")]
    for emotion, stream in enumerate(streams):
        sampler.sample(torch.full((3,), emotion), stream)
    assert torch.equal(*(torch.randn(4, generator=stream) for stream in streams))


@every
def test_the_same_seed_fits_the_same_and_leaves_the_base_as_it_was(one, speech, config, around):
    before = {name: value.clone() for name, value in speech.base.generator.state_dict().items()}
    first, again = (released(one, speech, config, around) for _ in range(2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert all(torch.equal(value, before[name]) for name, value in speech.base.generator.state_dict().items())


@every
def test_its_settings_name_a_fit_and_its_papers_are_whole_sentences(one, config):
    assert hash_identity(one.settings(config)) == hash_identity(one.settings(config.model_copy(update={"seed": 3})))
    assert one.about.endswith(".")
    assert one.paper
    assert one.released


@pytest.mark.parametrize(("name", "section"), [("conditional", "finetuning"), ("chatziagapi", "chatziagapi")])
def test_another_budget_is_another_fit(name, section, config):
    one = synthesizer(name)
    longer = config.model_copy(
        update={section: getattr(config, section).model_copy(update={"iterations": 9})},
    )
    assert one.settings(longer) != one.settings(config)
    assert one.steps(longer) > one.steps(config)


def test_an_unknown_one_is_named_with_those_there_are():
    with pytest.raises(UserError, match="no such synthesizer: diffusion; there are conditional, chatziagapi, floor"):
        synthesizer("diffusion")
