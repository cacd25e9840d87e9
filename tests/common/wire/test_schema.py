"""Names and shapes on the wire are those of the networks."""

import torch

from common.config import NetworkConfig
from common.networks import Generator
from common.wire import (
    Ask,
    Collect,
    base_shapes,
    encode,
    flatten,
    largest_reply,
    recognizer_shapes,
    release_shapes,
    shapes_of,
)
from common.wire.frame import HEADER_LIMIT


def test_shapes_are_those_of_the_networks(tune, release, score):
    for message in (tune, release, score):
        assert shapes_of(message) == {name: tuple(value.shape) for name, value in flatten(message.weights()).items()}


def test_a_message_without_weights_has_no_shapes(tune, scored):
    assert shapes_of(Collect(tuning=tune.tuning)) == shapes_of(scored) == {}


def test_a_release_holds_nothing_of_the_discriminator_or_the_norms(tune):
    names = release_shapes(tune.tuning.network)
    assert all(name.startswith("generator.") and ".norm." not in name for name in names)


def test_the_vectors_of_norms_cross_in_no_message(tune, score):
    for shapes in (base_shapes(tune.tuning.network), recognizer_shapes(score.scoring.network)):
        assert shapes
        assert not any(".norm." in name for name in shapes)


def test_networks_that_are_only_named_are_no_part_of_the_message(tune):
    named = tune.model_copy(update={"shipped": False, "generator": {}, "discriminator": {}})
    assert shapes_of(named) == {}
    assert len(encode(named)) < HEADER_LIMIT


def test_shapes_of_paper_size_are_found_without_building_a_network():
    shapes = release_shapes(NetworkConfig())
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 141_838_785


def test_the_largest_reply_is_a_generator_and_64_kib(tune, release):
    assert largest_reply(tune) == largest_reply(Collect(tuning=tune.tuning))
    weights = 2 * sum(value.numel() for value in Generator(tune.tuning.network, normalized=False).parameters())
    assert largest_reply(tune) == weights + HEADER_LIMIT >= len(encode(release))
    assert largest_reply(Ask(run="r")) == HEADER_LIMIT
