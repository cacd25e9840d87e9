"""Table 1's discriminator and the exchange of its head."""

import pytest
import torch

from common.networks import Discriminator, exchange_head, prepare
from common.seeds import torch_stream
from common.settings import NetworkConfig

SMALL = NetworkConfig(width=1 / 64, noise=8)


def test_full_width_has_the_papers_number_of_parameters():
    with torch.device("meta"):
        discriminator = Discriminator(NetworkConfig(width=1), 5)
    assert sum(parameter.numel() for parameter in discriminator.parameters()) == 138_926_533


def test_every_layer_has_the_shape_of_table_1():
    with torch.device("meta"):
        discriminator = Discriminator(NetworkConfig(width=1), 5)
    channels = (1, 64, 64, 128, 128, 256, 256, 512, 512)
    for index, convolution in enumerate(discriminator.convolutions):
        assert convolution.weight.shape == (channels[index + 1], channels[index], 3, 3)
        assert convolution.stride == 1 + index % 2
    assert discriminator.hidden.weight.shape == (4096, 32768)
    assert discriminator.head.weight.shape == (5, 4096)


@pytest.mark.parametrize("width", [1 / 64, 1 / 16])
def test_the_fast_forward_and_its_gradients_equal_the_plain_ones(width):
    discriminator = prepare(Discriminator(NetworkConfig(width=width), 3), torch.device("cpu"))
    patches = torch.randn(2, 1, 128, 128, generator=torch_stream("fast"), requires_grad=True)
    results = []
    for forward in (discriminator.plainly, discriminator):
        discriminator.zero_grad()
        patches.grad = None
        scores = forward(patches)
        scores.square().sum().backward()
        results.append([scores.detach(), patches.grad, *(parameter.grad for parameter in discriminator.parameters())])
    for plain, fast in zip(*results, strict=True):
        assert (plain - fast).norm() <= 1e-4 * plain.norm()


def test_one_of_few_bands_is_deaf_to_what_lies_within_them_and_hears_what_lies_between():
    all_bands, few = (Discriminator(NetworkConfig(width=1 / 64), 4, bands=bands) for bands in (128, 32))
    ripple = torch.tensor([0.3, -0.3]).repeat(64).view(1, 1, 128, 1).expand(1, 1, 128, 128)
    formant = torch.zeros(1, 1, 128, 128)
    formant[:, :, 40:48] = 0.3

    def heard(network, patch):
        with torch.no_grad():
            return (network(patch) - network(torch.zeros_like(patch))).abs().max()

    assert heard(few, ripple) < 0.001 * heard(all_bands, ripple)
    assert heard(few, formant) > 0.1 * heard(all_bands, formant)
    assert torch.allclose(few(formant), few.plainly(formant), rtol=1e-3)


def test_a_frozen_discriminator_gets_no_gradients_but_passes_them_on():
    discriminator = Discriminator(SMALL, 1).requires_grad_(False)
    patches = torch.randn(1, 1, 128, 128, requires_grad=True)
    discriminator(patches).sum().backward()
    assert patches.grad.abs().sum() > 0
    assert all(parameter.grad is None for parameter in discriminator.parameters())


def test_an_exchanged_head_is_fresh_and_everything_else_is_carried_over():
    before = Discriminator(SMALL, 1, seed=3)
    after = exchange_head(before, 5, seed=4)
    assert after.head.weight.shape == (5, 64)
    assert before.head.weight.shape == (1, 64)
    carried = before.state_dict()
    for name, value in after.state_dict().items():
        if not name.startswith("head."):
            assert torch.equal(value, carried[name])
            assert value.data_ptr() != carried[name].data_ptr()


def test_a_fresh_head_depends_on_its_seed_alone():
    heads = [exchange_head(Discriminator(SMALL, 1, seed=body), 5, seed) for body, seed in ((0, 7), (1, 7), (0, 8))]
    assert torch.equal(heads[0].head.weight, heads[1].head.weight)
    assert not torch.equal(heads[0].head.weight, heads[2].head.weight)


def test_an_exchanged_head_carries_the_gradient_switch_of_no_layer():
    assert all(parameter.requires_grad for parameter in exchange_head(Discriminator(SMALL, 1), 5, 0).parameters())
