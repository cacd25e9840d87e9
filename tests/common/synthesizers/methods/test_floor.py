"""The floor has heard of no emotion."""

import torch

from common.networks import release_weights
from common.seeds import torch_stream
from common.spaces import PATCHES
from common.synthesizers.methods.eskimez import ConditionalSampler, pair_of
from common.synthesizers.methods.floor import SYNTHESIZER as FLOOR

CPU = torch.device("cpu")


def test_it_is_the_pretrained_generator_whose_condition_is_zero(config, fitting_of):
    settings = FLOOR.settings_of(config)
    fitting = fitting_of(FLOOR, settings)
    weights = FLOOR.fit(fitting, settings)
    sampler = FLOOR.sampler(weights, settings, PATCHES, 4, CPU)
    untouched = ConditionalSampler(
        release_weights(pair_of(fitting.base, config.network, 4).generator), config.network, 4
    )
    asked_for_none = untouched.sample(torch.full((4,), -1), torch_stream("a"))
    assert torch.equal(sampler.sample(torch.arange(4), torch_stream("a")), asked_for_none)


def test_what_is_wanted_changes_nothing_where_it_would_change_a_conditional_one(config, fitting_of):
    settings = FLOOR.settings_of(config)
    fitting = fitting_of(FLOOR, settings)
    weights = FLOOR.fit(fitting, settings)
    floor, conditional = (
        FLOOR.sampler(weights, settings, PATCHES, 4, CPU),
        ConditionalSampler(weights, config.network, 4),
    )
    for sampler, same in ((floor, True), (conditional, False)):
        angry, sad = (sampler.sample(torch.full((2,), emotion), torch_stream("a")) for emotion in (1, 2))
        assert torch.equal(angry, sad) == same
