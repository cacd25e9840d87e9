"""Names and shapes on the wire are those of the networks."""

import torch

from common.networks import Generator
from common.synthesizers.methods.chatziagapi import SYNTHESIZER as CHATZIAGAPI
from common.synthesizers.methods.eskimez import SYNTHESIZER
from common.wire import (
    Ask,
    Collect,
    base_shapes,
    encode,
    flatten,
    largest_reply,
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
    names = release_shapes(tune.tuning)
    assert names
    assert all(name.startswith("released.") and ".norm." not in name for name in names)
    assert not any("head" in name or "discriminator" in name for name in names)


def test_the_vectors_of_norms_cross_in_no_message(tune, score):
    for shapes in (base_shapes(tune.tuning), shapes_of(score)):
        assert shapes
        assert not any(".norm." in name for name in shapes)


def test_networks_that_are_only_named_are_no_part_of_the_message(tune):
    named = tune.model_copy(update={"shipped": False, "base": {}})
    assert shapes_of(named) == {}
    assert len(encode(named)) < HEADER_LIMIT


def test_shapes_of_paper_size_are_found_without_building_a_network(tune):
    settings = SYNTHESIZER.Settings().model_dump(mode="json")
    shapes = release_shapes(tune.tuning.model_copy(update={"settings": settings}))
    assert sum(torch.Size(shape).numel() for shape in shapes.values()) == 141_838_785


def test_shapes_are_those_of_whichever_synthesizer_is_named(tune):
    settings = CHATZIAGAPI.Settings(network=tune.tuning.own.network)
    other = {"synthesizer": "chatziagapi", "settings": settings.model_dump(mode="json"), "weights": None}
    tuning = tune.tuning.model_copy(update=other)
    names = CHATZIAGAPI.shapes(settings, tuning.space, 4)
    assert release_shapes(tuning) == {f"released.{name}": shape for name, shape in names.items()}
    assert base_shapes(tuning) == {}
    assert largest_reply(Collect(tuning=tuning)) != largest_reply(tune)


def test_the_largest_reply_is_a_release_and_64_kib(tune, release):
    assert largest_reply(tune) == largest_reply(Collect(tuning=tune.tuning))
    weights = 2 * sum(value.numel() for value in Generator(tune.tuning.own.network, normalized=False).parameters())
    assert largest_reply(tune) == weights + HEADER_LIMIT >= len(encode(release))
    assert largest_reply(Ask(run="r")) == HEADER_LIMIT
