"""Each form is the plain convolution: forward, gradient of the images, gradient of the weights."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some
from torch.nn import functional

from common.networks.forms import Few, Folded, Form, Halved, Single, Upsampled, fold, form_for, unfold
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


@pytest.mark.parametrize(
    ("inputs", "outputs", "stride", "upsampled"),
    [(1, 4, 1, False), (4, 8, 1, False), (4, 4, 2, False), (64, 64, 1, False), (64, 64, 2, False), (8, 4, 1, True)],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_a_leaky_relu_in_the_same_pass_is_one_after_it(inputs, outputs, stride, upsampled, dtype):
    form = form_for(inputs, outputs, stride, upsampled=upsampled, vectors=True)
    images, kernel, bias = (
        torch.randn(shape).to(dtype) for shape in ((2, inputs, 16, 16), (outputs, inputs, 3, 3), (outputs,))
    )
    images = images.contiguous(memory_format=torch.channels_last)
    apart = functional.leaky_relu(form.forward(images, kernel, bias), 0.2)
    together = form.forward(images, kernel, bias, 0.2)
    assert together.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(together, apart)


def test_a_gradient_of_the_bias_is_computed_only_where_it_is_asked_for():
    for form, inputs in ((Form(), 16), (Few(), 4), (Single(), 1), (Folded(8), 1), (Halved(), 4), (Upsampled(), 4)):
        images = torch.randn(1, inputs, 16, 16).contiguous(memory_format=torch.channels_last)
        kernel = torch.randn(4, inputs, 3, 3)
        gradient = torch.randn_like(form.forward(images, kernel, None))
        with_bias, without = (form.to_weights(gradient, images, kernel, biased=biased) for biased in (True, False))
        torch.testing.assert_close(without[0], with_bias[0])
        assert with_bias[1].shape == (4,)
        assert without[1] is None


@given(inputs=some.integers(1, 20), outputs=some.integers(1, 20), seed=some.integers(0, 9))
def test_few_channels_are_computed_in_windows_exactly(inputs, outputs, seed):
    check(Few(), inputs, outputs, seed=seed)


@given(inputs=some.integers(1, 6), outputs=some.integers(1, 6), side=some.sampled_from([4, 8, 16]))
def test_halving_goes_back_over_pairs_of_columns_exactly(inputs, outputs, side):
    check(Halved(), inputs, outputs, stride=2, side=side)


@given(inputs=some.integers(1, 6), outputs=some.integers(1, 6), side=some.sampled_from([1, 4, 8]))
def test_upsampling_merges_with_the_convolution_exactly(inputs, outputs, side):
    check(Upsampled(), inputs, outputs, upsampled=True, side=side)


@pytest.mark.parametrize("outputs", [1, 4, 8])
def test_a_single_channel_is_folded_exactly(outputs):
    check(Single(), 1, outputs)
    check(Folded(8), 1, outputs)


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


def test_a_gpu_gets_convolutions_as_they_are_but_for_a_single_channel():
    assert form_for(1, 4, 1, upsampled=False, vectors=False).columns == 8
    assert type(form_for(4, 4, 1, upsampled=False, vectors=False)) is Form
    assert type(form_for(4, 4, 2, upsampled=False, vectors=False)) is Form
    assert type(form_for(8, 4, 1, upsampled=True, vectors=False)) is Upsampled


def test_folding_moves_no_number_and_unfolding_undoes_it():
    images = torch.randn(2, 3, 4, 8).contiguous(memory_format=torch.channels_last)
    folded = fold(images, 4)
    assert folded.shape == (2, 12, 4, 2)
    assert folded.data_ptr() == images.data_ptr()
    assert torch.equal(unfold(folded, 4), images)
