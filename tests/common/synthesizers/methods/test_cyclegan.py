"""Cycle-GANs from public speech, held to what their paper says and means."""

from dataclasses import replace

import pytest
import torch

from common.networks.perceptron import Perceptron
from common.seeds import torch_stream
from common.settings import OptimizerConfig
from common.spaces import Vectors
from common.synthesizers.methods import cyclegan
from common.synthesizers.methods.cyclegan import LEAK, SYNTHESIZER, Cycle, CycleganConfig, other_side_first
from common.synthesizers.vectors import Material

SPACE = Vectors(set="tiny", size=8)


@pytest.fixture
def cycle_of(config, fitting_of, public):
    """Both games of a fit, with the networks that a test wants."""

    def make(translators=None, **changes):
        own = config.cyclegan.model_copy(update=changes)
        settings = SYNTHESIZER.settings_of(config.model_copy(update={"cyclegan": own}))
        material = Material.of(fitting_of(SYNTHESIZER, settings, Vectors), "tried")
        copies = 2 * len(material.members())
        return Cycle(
            material=material,
            members=material.members(),
            public=public,
            classifier=Perceptron((8, own.hidden, 4)),
            translators=translators or cyclegan.translators(own, 8, copies, seed=1),
            critics=cyclegan.critics(own, 8, copies, seed=2),
            own=own,
            optimizer=OptimizerConfig(),
        )

    return make


@pytest.fixture
def draw():
    stream = torch_stream("draw")
    return {
        "public": torch.randint(50, (16,), generator=stream),
        "picked": torch.rand(16, generator=stream),
        "mixture": torch.rand(16, generator=stream),
        "other mixture": torch.rand(16, generator=stream),
    }


def nothing(copies):
    """Translators whose answer is zero, whatever goes in: each takes away its input."""
    network = Perceptron((8, 16, 16, 8), leak=LEAK, copies=copies)
    eye = torch.eye(8)
    with torch.no_grad():
        network.layers[0].weight.copy_(torch.cat((eye, -eye)))
        network.layers[1].weight.copy_(torch.eye(16))
        network.layers[2].weight.copy_(-torch.cat((eye, -eye), dim=1) / (1 + LEAK**2))
    return network


def test_the_printed_sizes_can_be_had_and_both_directions_of_an_emotion_are_in_one_stack():
    own = CycleganConfig(hidden=800)
    stack = cyclegan.translators(own, 2185, 10)
    assert [tuple(layer.weight.shape) for layer in stack.layers] == [(10, 800, 2185), (10, 800, 800), (10, 2185, 800)]
    assert (own.batch, own.cycle, own.penalty, own.power) == (64, 1, 10, 5)


def test_what_comes_back_is_held_to_what_went_in(cycle_of, draw):
    cycle = cycle_of(nothing(8))
    sides = cycle.sides(draw)
    made = cycle.translated(sides)
    torch.testing.assert_close(made, torch.zeros_like(made), atol=1e-5, rtol=0)
    assert cycle.returned(draw, made).item() == pytest.approx(sides.square().mean().item(), rel=1e-3)
    # (8) as printed takes the row away before it is sent back, and finds nothing wrong here.
    misprinted = cycle.translated(other_side_first(made - sides)).square().mean()
    assert misprinted.item() == pytest.approx(0, abs=1e-6)


def test_nothing_is_lost_where_networks_change_nothing(cycle_of, draw):
    cycle = cycle_of()
    with torch.no_grad():
        for parameter in cycle.translators.parameters():
            parameter.zero_()
    sides = cycle.sides(draw)
    assert torch.equal(cycle.translated(sides), sides)
    assert cycle.returned(draw, cycle.translated(sides)).item() == 0


def test_rows_that_went_over_meet_the_critics_of_the_side_where_they_are(cycle_of, draw):
    cycle, shown = cycle_of(), []
    cycle.critics.register_forward_hook(lambda module, given, made: shown.append(given[0]))
    sides = cycle.sides(draw)
    made = cycle.translated(sides)
    cycle.of_critics(draw, made)
    real, fake = shown[0].chunk(2, dim=1)
    towards = len(sides) // 2
    assert torch.equal(real[:towards], sides[towards:])  # the site's, of each emotion
    assert torch.equal(fake[:towards], made[:towards])  # public speech made over
    assert torch.equal(real[towards:], sides[:towards])


@pytest.mark.parametrize("divergence", ["wasserstein", "cross-entropy"])
def test_the_critics_lower_or_raise_the_real_and_the_generators_follow(cycle_of, draw, divergence):
    cycle = cycle_of(divergence=divergence, penalty=0.0, cycle=0.0, classification=0.0)
    sides = cycle.sides(draw)
    made, real = cycle.translated(sides).detach() + 1, other_side_first(sides)
    adam = cycle._adam(cycle.critics)
    adam.rate = 1e-2
    for _ in range(40):
        adam.forget_gradients()
        cycle.of_critics(draw, made)["loss"].backward()
        adam.step()
    of_real, of_made = cycle.critics(real).mean(), cycle.critics(made).mean()
    assert (of_real < of_made) == (divergence == "wasserstein")
    moving = made.clone().requires_grad_()
    cycle.of_translators(draw, moving)["loss"].backward()
    stepped = made - torch.nn.functional.normalize(moving.grad, dim=-1)
    assert (cycle.critics(stepped).mean() - of_real).abs() < (of_made - of_real).abs()


def test_the_generators_move_twice_as_often_and_the_rate_halves(config, fitting_of, around, listener):
    heard, settings = listener(), SYNTHESIZER.settings_of(config)
    SYNTHESIZER.fit(
        fitting_of(SYNTHESIZER, settings, Vectors, around=replace(around, reporter=heard, report_every=1)), settings
    )
    moved = [{name.split("/")[0] for name in row} for stage, _, row in heard.records if stage == cyclegan.STAGE]
    assert moved == [{"critics", "generators"}, {"generators"}] * 2


def test_a_sample_is_public_speech_made_over(config, public):
    own = config.cyclegan
    stack = cyclegan.translators(own, 8, 4)
    shut = {f"generators.{name}": torch.zeros_like(value) for name, value in stack.state_dict().items()}
    settings = SYNTHESIZER.settings_of(config)
    sampler = SYNTHESIZER.sampler(shut, settings, SPACE, 4, torch.device("cpu"))
    made = sampler.sample(torch.tensor([0, 3, 1]), torch_stream("a"))
    assert all(any(torch.equal(row, one) for one in public) for row in made)
    shut["generators.layers.2.bias"][3] += 1
    moved = SYNTHESIZER.sampler(shut, settings, SPACE, 4, torch.device("cpu"))
    torch.testing.assert_close(
        moved.sample(torch.tensor([0, 3, 1]), torch_stream("a")) - made, torch.tensor([[0.0], [1], [0]]).expand(3, 8)
    )
