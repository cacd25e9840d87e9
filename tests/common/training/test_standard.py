"""Raw numbers are made alike and raw again, and both survive half precision."""

import pytest
import torch

from common.seeds import torch_stream
from common.spaces import PATCHES, Vectors
from common.training.standard import DEVIATION, MEAN, Standard, standard_for, standard_shapes


@pytest.fixture
def rows():
    """Numbers of very different sizes, and one that never changes."""
    sizes = torch.tensor([1e6, 1.0, 1e-4, 0.0])
    return torch.randn(200, 4, generator=torch_stream("rows")) * sizes + torch.tensor([5e6, 0.0, 3e-4, 7.0])


def test_rows_have_mean_zero_and_deviation_one_and_a_constant_number_is_zero(rows):
    alike = Standard.of(rows).apply(rows)
    assert alike.mean(dim=0) == pytest.approx([0] * 4, abs=1e-4)
    assert alike.std(dim=0, correction=0) == pytest.approx([1, 1, 1, 0], abs=1e-4)
    torch.testing.assert_close(Standard.of(rows).undo(alike), rows, rtol=1e-4, atol=1e-6)


def test_no_number_goes_far_where_another_site_has_what_this_one_has_not(rows):
    assert Standard.of(rows).apply(rows + 1e9).abs().max() == 10


def test_what_is_released_survives_half_precision(rows):
    standard = Standard.of(rows)
    halved = {name: value.half() for name, value in standard.released().items()}
    assert all(value.isfinite().all() for value in halved.values())
    received = Standard.received(halved)
    torch.testing.assert_close(received.deviation, standard.deviation, rtol=0.01, atol=0)
    assert ((received.mean - standard.mean) / standard.deviation).abs().max() < 1
    assert not standard.mean.half().isfinite().all()


def test_only_raw_spaces_have_one(rows):
    raw, session = (Vectors(set="tiny", size=4, scale=scale) for scale in ("raw", "session"))
    assert standard_for(raw, rows) is not None
    assert standard_shapes(raw) == {MEAN: (4,), DEVIATION: (4,)}
    for other in (session, PATCHES):
        assert standard_for(other, rows) is None
        assert standard_shapes(other) == {}
    assert Standard.received({}) is None
