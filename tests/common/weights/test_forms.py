"""A release in a smaller form has the shapes that it tells, and its weights come back as well as the form allows."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from common.seeds import torch_stream
from common.weights import ROWS, SCALES, Form, cut, largest_rank, restored, shapes_in

SHAPES = {"first.weight": (40, 24), "first.bias": (40,), "kernel.weight": (6, 4, 3, 3), "last.weight": (1, 4, 3, 3)}
FORMS = [Form(rank, eight_bit) for rank in (None, 1, 4, 24) for eight_bit in (False, True)]


def weights_of(seed, size=1.0):
    return {name: size * torch.randn(shape, generator=torch_stream(seed, name)) for name, shape in SHAPES.items()}


BASE = weights_of("base")
TUNED = {name: value + 0.01 * weights_of("tuned")[name] for name, value in BASE.items()}


def there_and_back(form, reference, seed=0):
    left = cut(TUNED, reference, form, torch_stream(seed))
    return left, restored(left, reference, form, SHAPES)


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_what_leaves_has_the_shapes_that_are_told(form):
    left, back = there_and_back(form, BASE)
    assert {name: tuple(value.shape) for name, value in left.items()} == shapes_in(form, SHAPES, based=True)
    assert {name: tuple(value.shape) for name, value in back.items()} == SHAPES
    assert {value.dtype for name, value in left.items() if name.endswith(ROWS)} <= {torch.int8}


def test_the_whole_form_is_the_weights_themselves():
    left, back = there_and_back(Form(), BASE)
    assert all(left[name] is back[name] is TUNED[name] for name in SHAPES)


def test_all_directions_without_rounding_give_the_weights_back():
    _, back = there_and_back(Form(rank=largest_rank(SHAPES)), BASE)
    for name, value in back.items():
        torch.testing.assert_close(value, TUNED[name], rtol=1e-6, atol=1e-6)


@given(seed=st.integers(0, 1000))
def test_in_8_bits_a_difference_is_off_by_a_step_of_its_row_at_the_most(seed):
    _, back = there_and_back(Form(eight_bit=True), BASE, seed)
    for name, value in back.items():
        step = (TUNED[name] - BASE[name]).abs().max() / 126
        assert float((value - TUNED[name]).abs().max()) < float(step) + 1e-6


def test_the_more_directions_the_nearer():
    def off(rank):
        _, back = there_and_back(Form(rank), BASE)
        return float((back["first.weight"] - TUNED["first.weight"]).norm())

    assert off(1) > off(4) > off(10)


def test_a_layer_whose_factors_are_no_smaller_keeps_its_difference():
    shapes = shapes_in(Form(rank=4, eight_bit=True), SHAPES, based=True)
    assert shapes["first.weight" + ROWS] == (4, 64)
    assert shapes["kernel.weight" + ROWS] == (4, 42)
    assert shapes["last.weight" + ROWS] == (1, 4, 3, 3)
    assert shapes["first.bias" + ROWS] == (40,)
    assert shapes[SCALES] == (4 + 4 + 1 + 1,)


def test_without_a_reference_weights_are_rounded_themselves_and_vectors_are_not():
    left, back = there_and_back(Form(eight_bit=True), {})
    assert torch.equal(left["first.bias"], TUNED["first.bias"])
    assert "first.bias" + ROWS not in left
    assert float((back["first.weight"] - TUNED["first.weight"]).abs().max()) < 0.05


@pytest.mark.parametrize(
    ("form", "based", "why"),
    [
        (Form(rank=4), False, "there are no public networks to differ from"),
        (Form(rank=25), True, "rank 25 is above the 24 of the largest layer"),
        (Form(rank=24), True, ""),
        (Form(eight_bit=True), False, ""),
    ],
)
def test_a_form_that_cannot_be_says_why(form, based, why):
    assert why in form.misfit(SHAPES, based=based)
    assert bool(form.misfit(SHAPES, based=based)) == bool(why)
