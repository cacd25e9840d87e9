"""Table 1's generator: its sizes, its plain meaning and its release."""

import pytest
import torch
from torch.nn import functional

from common.networks import Generator, generator_shapes, prepare, release_weights
from common.settings import NetworkConfig

SMALL = NetworkConfig(width=1 / 64, noise=8)


def plainly(generator, latent, condition):
    """Table 1 read aloud."""
    rows = torch.cat((latent, condition), dim=1)
    for linear in generator.linears:
        rows = functional.leaky_relu(linear(rows), generator.leak)
    images = rows.view(len(rows), -1, 8, 8)
    *inner, last = generator.convolutions
    for convolution in inner:
        images = functional.leaky_relu(convolution(images), generator.leak)
    return torch.tanh(last(images))


def test_full_width_has_the_papers_number_of_parameters():
    with torch.device("meta"):
        generator = Generator(NetworkConfig(width=1))
    assert sum(parameter.numel() for parameter in generator.parameters()) == 141_838_785


def test_every_weight_has_the_shape_of_table_1():
    channels = (512, 512, 512, 256, 256, 128, 128, 64, 64, 1)
    expected = {"linears.0.weight": (4096, 132), "linears.1.weight": (32768, 4096)}
    for index in range(9):
        expected[f"convolutions.{index}.weight"] = (channels[index + 1], channels[index], 3, 3)
    shapes = generator_shapes(NetworkConfig(width=1))
    assert {name: shape for name, shape in shapes.items() if name.endswith("weight")} == expected
    assert all(shapes[name.replace("weight", "bias")] == shape[:1] for name, shape in expected.items())


def test_a_condition_counts_as_often_as_its_gain_says_and_the_release_needs_none():
    latent, condition = torch.randn(3, 8), functional.one_hot(torch.tensor([0, 1, 3]), 4).float()
    plain, loud, released = Generator(SMALL), Generator(SMALL), Generator(SMALL, normalized=False)
    loud.gain = 12.0
    assert torch.equal(loud(latent, condition), plain(latent, 12 * condition))
    assert torch.equal(loud(latent, 0 * condition), plain(latent, 0 * condition))
    released.load_state_dict(release_weights(loud))
    torch.testing.assert_close(released(latent, condition), loud(latent, condition), atol=1e-5, rtol=1e-4)
    assert not torch.allclose(released(latent, condition), plain(latent, condition), atol=1e-3)


def test_forgotten_conditions_all_give_the_patch_of_none():
    generator, latent = Generator(SMALL), torch.randn(4, 8)
    before = generator(latent, torch.eye(4))
    generator.forget_conditions()
    after = generator(latent, torch.eye(4))
    assert torch.equal(after, generator(latent, torch.zeros(4, 4)))
    assert not torch.equal(after, before)
    norm = torch.linalg.matrix_norm(generator.linears[0].normed_weight(), 2)
    torch.testing.assert_close(norm, torch.tensor(1.0), atol=1e-4, rtol=0)


def test_width_scales_channels_and_hidden_units_together():
    shapes = generator_shapes(NetworkConfig(width=1 / 16))
    assert shapes["linears.1.weight"] == (2048, 256)
    assert shapes["convolutions.7.weight"] == (4, 4, 3, 3)


def test_upsampling_follows_every_second_convolution():
    generator = Generator(SMALL)
    assert [convolution.upsampled for convolution in generator.convolutions] == [
        index in (2, 4, 6, 8) for index in range(9)
    ]


@pytest.mark.parametrize("width", [1 / 64, 1 / 16])
def test_the_fast_forward_and_its_gradients_equal_the_plain_ones(width):
    generator = prepare(Generator(NetworkConfig(width=width, noise=8)), torch.device("cpu"))
    latent, condition = torch.randn(2, 8), torch.eye(4)[:2]
    gradients = []
    for forward in (lambda: plainly(generator, latent, condition), lambda: generator(latent, condition)):
        generator.zero_grad()
        patches = forward()
        (1e3 * patches.square().sum()).backward()
        gradients.append([patches.detach(), *(parameter.grad for parameter in generator.parameters())])
    assert gradients[1][0].shape == (2, 1, 128, 128)
    for plain, fast in zip(*gradients, strict=True):
        assert (plain - fast).norm() <= 1e-4 * plain.norm()


def test_the_forward_is_the_same_with_and_without_gradients():
    generator = Generator(SMALL)
    with torch.no_grad():
        alone = generator(torch.ones(1, 8), torch.zeros(1, 4))
    assert torch.equal(alone, generator(torch.ones(1, 8), torch.zeros(1, 4)).detach())


def test_a_process_that_has_sampled_can_train_afterwards():
    config = NetworkConfig(width=1 / 32, noise=4)
    with torch.inference_mode():
        Generator(config)(torch.ones(1, 4), torch.zeros(1, 4))
    Generator(config)(torch.ones(1, 4), torch.zeros(1, 4)).sum().backward()


def test_patches_stay_within_one():
    assert Generator(SMALL)(torch.full((1, 8), 1e4), torch.zeros(1, 4)).abs().max() <= 1


def test_a_release_gives_the_same_patches_without_a_norm():
    generator = prepare(Generator(SMALL), torch.device("cpu"))
    weights = release_weights(generator)
    assert {name: tuple(value.shape) for name, value in weights.items()} == generator_shapes(SMALL)
    assert all(value.is_contiguous() and not value.requires_grad for value in weights.values())
    released = Generator(SMALL, normalized=False)
    released.load_state_dict(weights)
    latent, condition = torch.randn(2, 8), torch.eye(4)[:2]
    torch.testing.assert_close(released(latent, condition), generator(latent, condition), rtol=1e-4, atol=1e-9)


def test_a_release_does_not_change_when_the_generator_trains_on():
    generator = Generator(SMALL)
    weights = release_weights(generator)
    before = weights["linears.0.bias"].clone()
    generator.linears[0].bias.data += 1
    assert torch.equal(weights["linears.0.bias"], before)


def test_first_weights_depend_on_the_seed_alone():
    first, again, other = (Generator(SMALL, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["linears.0.weight"], other["linears.0.weight"])
