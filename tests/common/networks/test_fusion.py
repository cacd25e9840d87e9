"""What is compiled, what is not, and that nothing depends on it."""

import shutil

import pytest
import torch

from common.networks import Discriminator, fusion, prepare, scores_and_penalty
from common.networks.fusion import MILLION, WIDE, activation, fused
from common.settings import NetworkConfig


def doubled(rows):
    return rows * 2


@pytest.fixture
def compiled(monkeypatch):
    """Every function that is given to the compiler, which hands it back as it is."""
    given = []

    def compile_(function, **_):
        given.append(function)
        return function

    monkeypatch.setattr(torch, "compile", compile_)
    return given


class OnGpu:
    """As much of a tensor as decides whether it is compiled for."""

    device = torch.device("cuda")

    def __init__(self, *shape):
        self.shape, self.tensor = shape, torch.ones(shape)

    def numel(self):
        return self.tensor.numel()

    def __mul__(self, factor):
        return self.tensor * factor


def test_a_processor_compiles_nothing(compiled):
    assert torch.equal(fused(1)(doubled)(torch.ones(2, WIDE)), torch.full((2, WIDE), 2.0))
    assert not compiled


def test_a_gpu_compiles_for_wide_matrices_of_many_numbers_once(compiled):
    call = fused(4 * WIDE)(doubled)
    for narrow_or_small in (OnGpu(8, WIDE // 2), OnGpu(3, WIDE)):
        call(narrow_or_small)
    assert not compiled
    for large in (OnGpu(4, WIDE), OnGpu(5, 2 * WIDE)):
        assert torch.equal(call(large), 2 * large.tensor)
    assert compiled == [doubled]


def test_without_a_compiler_the_plain_function_goes_on_and_says_so(monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("no C compiler")

    monkeypatch.setattr(torch, "compile", broken)
    assert torch.equal(fused(1)(doubled)(OnGpu(4, WIDE)), torch.full((4, WIDE), 2.0))
    assert "no C compiler" in caplog.text


@pytest.mark.gpu
def test_a_compiled_activation_is_the_plain_one():
    rows, bias = torch.randn(MILLION // WIDE, WIDE, device="cuda"), torch.randn(WIDE, device="cuda")
    torch.testing.assert_close(activation(0.2)(rows, bias), torch.nn.functional.leaky_relu(rows + bias, 0.2))


def criticism(device):
    """Scores, penalty and every gradient at a width whose matrices are worth compiling for."""
    chance = torch.Generator().manual_seed(0)
    patches, interpolates = (torch.randn(size, 1, 128, 128, generator=chance).to(device) for size in (8, 4))
    critic = prepare(Discriminator(NetworkConfig(width=0.5), 1, seed=3), torch.device(device))
    scores, penalty = scores_and_penalty(critic, patches, interpolates)
    (10 * penalty + scores.square().mean()).backward()
    return [scores.detach(), penalty.detach(), *(parameter.grad for parameter in critic.parameters())]


def assert_alike(results, others, tolerance):
    for one, other in zip(results, others, strict=True):
        assert (one - other.cpu()).norm() <= tolerance * one.norm()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler on this machine")
def test_what_the_compiler_makes_of_a_critic_is_the_plain_one(monkeypatch, caplog):
    """For a processor, which has the same source compiled: where no GPU is, this much can be known.

    The plain one's gradients are themselves off by up to 3e-3 from those in double precision, on one processor at hand.
    """
    plain = criticism("cpu")
    monkeypatch.setattr(fusion, "COMPILED_FOR", "cpu")
    assert_alike(plain, criticism("cpu"), 1e-2)
    assert "not compiled" not in caplog.text


@pytest.mark.gpu
def test_a_compiled_critic_is_the_plain_one(monkeypatch):
    """Beside a processor's: a bias's gradient sums so much that the fp32 of either is off by a good part of this."""
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    assert_alike(criticism("cpu"), criticism("cuda"), 1e-2)
