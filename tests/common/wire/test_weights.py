"""Number formats and the digest of weights."""

import pytest
import torch

from common.wire import Code, Precision, WireError, weights_digest
from common.wire.weights import check_values, from_bytes, is_finite, to_bytes

FLOATS = [precision for precision in Precision if precision.dtype.is_floating_point]


@pytest.mark.parametrize("precision", FLOATS)
def test_a_tensor_comes_back_in_its_precision(precision):
    tensor = torch.tensor([[1.0, -0.0], [0.1, 3e-5]])
    data = memoryview(b"12345678" + bytes(to_bytes("w", tensor, precision)))
    back = from_bytes(data, 8, (2, 2), precision)
    assert back.dtype is precision.dtype
    assert torch.equal(back, tensor.to(precision.dtype))
    assert torch.equal(back.float().signbit(), tensor.signbit())


def test_bytes_of_the_same_precision_are_no_copy():
    tensor = torch.zeros(4)
    view = to_bytes("w", tensor, Precision.FP32)
    tensor[0] = 1
    assert bytes(view) == tensor.numpy().tobytes()


def test_channels_last_weights_travel_in_logical_order():
    tensor = torch.arange(24.0).reshape(1, 2, 3, 4)
    turned = tensor.contiguous(memory_format=torch.channels_last)
    assert bytes(to_bytes("w", turned, Precision.FP32)) == bytes(to_bytes("w", tensor, Precision.FP32))


@pytest.mark.parametrize("dtype", [precision.dtype for precision in FLOATS])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_one_bad_weight_among_many_is_found(dtype, bad):
    tensor = torch.ones(1000, dtype=dtype)
    assert is_finite(tensor)
    tensor[517] = bad
    assert not is_finite(tensor)


@pytest.mark.parametrize("dtype", [precision.dtype for precision in FLOATS])
@pytest.mark.parametrize("side", [1, -1])
def test_one_weight_over_the_limit_among_many_is_refused(dtype, side):
    tensor = torch.zeros(1000, dtype=dtype)
    tensor[517] = 10 * side
    check_values("w", tensor, 10.0)
    tensor[517] = 10.0625 * side
    with pytest.raises(WireError) as caught:
        check_values("w", tensor, 10.0)
    assert caught.value.code is Code.ABSURD_NORM


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_a_number_is_named_as_such(bad):
    with pytest.raises(WireError) as caught:
        check_values("w", torch.tensor([1.0, bad]), 10.0)
    assert caught.value.code is Code.NOT_FINITE


def test_the_digest_sees_names_shapes_and_values_but_not_order_or_precision_held():
    weights = {"generator": {"a": torch.ones(2, 3), "b": torch.zeros(1)}}
    digest = weights_digest(weights)
    assert weights_digest({"generator": dict(reversed(weights["generator"].items()))}) == digest
    assert weights_digest({"generator": {"a": torch.ones(2, 3).half(), "b": torch.zeros(1)}}) == digest
    for other in ({"a": torch.ones(3, 2)}, {"c": torch.ones(2, 3)}, {"a": torch.ones(2, 3) + 1e-7}):
        changed = {"b": torch.zeros(1)} | other
        assert weights_digest({"generator": changed}) != digest
    assert weights_digest({"critic": weights["generator"]}) != digest
