"""Each form is the plain convolution: forward, gradient of the images, gradient of the weights."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch.nn import functional

from common.networks.forms import Few, Form, Halved, Single, Upsampled, fold, form_for, unfold
from common.seeds import torch_stream


def check(form, inputs, outputs, stride=1, *, upsampled=False, side=16, seed=0):
    """Compare a form with autograd through stock parts, in double precision so that only a mistake shows."""
    stream = torch_stream("forms", seed)
    images, kernel, bias = (
        torch.randn(shape, generator=stream, dtype=torch.float64, requires_grad=True)
        for shape in ((2, inputs, side, side), (outputs, inputs, 3, 3), (outputs,))
    )
    larger = functional.interpolate(images, scale_factor=2.0, mode="nearest") if upsampled else images
    plain = functional.conv2d(larger, kernel, bias, stride=stride, padding=1)
    direction = torch.randn(plain.shape, generator=stream, dtype=torch.float64)
    expected = torch.autograd.grad((plain * direction).sum(), (images, kernel, bias))
    with torch.no_grad():
        last = images.contiguous(memory_format=torch.channels_last)
        gradient = direction.contiguous(memory_format=torch.channels_last)
        result = form.forward(last, kernel, bias)
        found = (form.to_images(gradient, last, kernel), *form.to_weights(gradient, last, kernel))
    torch.testing.assert_close(result, plain.detach())
    torch.testing.assert_close(found, expected)


@given(inputs=some.integers(1, 20), outputs=some.integers(1, 20), seed=some.integers(0, 9))
@settings(max_examples=25, deadline=None)
def test_few_channels_are_computed_in_windows_exactly(inputs, outputs, seed):
    check(Few(), inputs, outputs, seed=seed)


@given(inputs=some.integers(1, 6), outputs=some.integers(1, 6), side=some.sampled_from([4, 8, 16]))
@settings(max_examples=25, deadline=None)
def test_halving_goes_back_over_pairs_of_columns_exactly(inputs, outputs, side):
    check(Halved(), inputs, outputs, stride=2, side=side)


@given(inputs=some.integers(1, 6), outputs=some.integers(1, 6), side=some.sampled_from([1, 4, 8]))
@settings(max_examples=25, deadline=None)
def test_upsampling_merges_with_the_convolution_exactly(inputs, outputs, side):
    check(Upsampled(), inputs, outputs, upsampled=True, side=side)


@pytest.mark.parametrize("outputs", [1, 4, 8])
def test_a_single_channel_is_folded_exactly(outputs):
    check(Single(), 1, outputs)


@pytest.mark.parametrize("stride", [1, 2])
def test_the_plain_form_is_exact(stride):
    check(Form(stride), 3, 5, stride)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ((1, 4, 1), Single),
        ((1, 1, 2), Halved),
        ((4, 8, 1), Few),
        ((4, 4, 2), Halved),
        ((64, 64, 2), Form),
        ((32, 64, 1), Form),
    ],
)
def test_a_processor_of_vectors_gets_the_form_that_fills_them(sizes, expected):
    assert type(form_for(*sizes, upsampled=False, vectors=True)) is expected


def test_a_gpu_gets_convolutions_as_they_are():
    assert type(form_for(1, 4, 1, upsampled=False, vectors=False)) is Form
    assert type(form_for(8, 4, 1, upsampled=True, vectors=False)) is Upsampled


def test_folding_moves_no_number_and_unfolding_undoes_it():
    images = torch.randn(2, 3, 4, 8).contiguous(memory_format=torch.channels_last)
    folded = fold(images, 4)
    assert folded.shape == (2, 12, 4, 2)
    assert folded.data_ptr() == images.data_ptr()
    assert torch.equal(unfold(folded, 4), images)
