"""What a fit releases is what its shapes tell, or whoever runs it is told which tensor is not."""

import pytest
import torch

from common.errors import UserError
from common.networks.acceleration import Acceleration
from common.settings import EMOTIONS, Section
from common.spaces import PATCHES, Patches
from common.synthesizers import Cost, Fitting, Synthesizer
from common.training.phases import Surroundings


@pytest.fixture
def released():
    """A function from what a fit gives to what is taken of it."""

    def take(given):
        one = Synthesizer(
            name="tiny",
            paper="none",
            about="Six numbers.",
            released="six numbers",
            Settings=Section,
            spaces=frozenset({Patches}),
            cost=lambda settings, space, classes: Cost(1, 0),
            fit=lambda fitting, settings: given,
            shapes=lambda settings, space, classes: {"w": (2, 3)},
            sampler=lambda *arguments: None,
        )
        around = Surroundings(Acceleration(torch.device("cpu"), bf16=False))
        return one.released_by(Fitting(lambda balanced: None, {}, EMOTIONS, PATCHES, 0, around), Section())

    return take


def test_what_matches_is_taken(released):
    assert list(released({"w": torch.ones(2, 3)})) == ["w"]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"w": torch.ones(3, 2)}, r"w is \(3, 2\), told \(2, 3\)"),
        ({}, r"w is missing, told \(2, 3\)"),
        ({"w": torch.ones(2, 3), "speech": torch.ones(9)}, r"speech is \(9,\), told nothing"),
    ],
    ids=["turned", "none", "more"],
)
def test_what_does_not_match_is_named(released, given, told):
    with pytest.raises(UserError, match=f"what tiny releases does not match its shapes: {told}; a synthesizer's fit"):
        released(given)
