"""The floor has heard of no emotion."""

import torch

from common.networks import release_weights
from common.seeds import torch_stream
from common.synthesizers import ConditionalSampler
from common.synthesizers.floor import FLOOR


def test_it_is_the_pretrained_generator_whose_condition_is_zero(speech, config, around):
    weights = FLOOR.release(FLOOR.fit(speech, config, 1, around))
    sampler = FLOOR.sampler(weights, config.network, None)
    untouched = ConditionalSampler(release_weights(speech.base.generator), config.network)
    asked_for_none = untouched.sample(torch.full((4,), -1), torch_stream("a"))
    assert torch.equal(sampler.sample(torch.arange(4), torch_stream("a")), asked_for_none)


def test_what_is_wanted_changes_nothing_where_it_would_change_a_conditional_one(speech, config, around):
    weights = FLOOR.release(FLOOR.fit(speech, config, 1, around))
    for kind, same in ((FLOOR.sampler, True), (ConditionalSampler, False)):
        sampler = kind(weights, config.network, None)
        angry, sad = (sampler.sample(torch.full((2,), emotion), torch_stream("a")) for emotion in (1, 2))
        assert torch.equal(angry, sad) == same
