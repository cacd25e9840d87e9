"""Augmentation: what each change does, what it leaves alone, that gradients pass."""

import pytest
import torch

from common.training.augmentation import LARGEST_GAIN, LARGEST_TILT, augment

KINDS = ("gain", "tilt")


def patches(count=3, seed=0):
    return torch.rand(count, 1, 128, 128, generator=torch.Generator().manual_seed(seed)) - 0.5


def chances(count=3, seed=0):
    stream = torch.Generator().manual_seed(seed)
    return {kind: torch.rand(count, generator=stream) for kind in KINDS}


def test_no_kind_changes_nothing():
    assert torch.equal(augment(patches(), chances(), ()), patches())


def test_a_gain_shifts_a_patch_as_a_whole():
    shift = augment(patches(), chances(), ("gain",)) - patches()
    assert shift.abs().max() <= LARGEST_GAIN
    torch.testing.assert_close(shift, shift[:, :, :1, :1].expand_as(shift), atol=1e-6, rtol=0)


def test_a_tilt_takes_from_low_bands_what_it_gives_to_high_ones():
    shift = augment(patches(), chances(), ("tilt",)) - patches()
    assert shift[:, :, [0, -1]].abs().max() <= LARGEST_TILT + 1e-6
    torch.testing.assert_close(shift, -shift.flip(2), atol=1e-6, rtol=0)
    steps = shift.diff(dim=2)
    torch.testing.assert_close(steps, steps[:, :, :1, :1].expand_as(steps), atol=1e-6, rtol=0)
    assert len(shift[:, 0, 0, 0].unique()) == 3, "each patch has its own"


@pytest.mark.parametrize("kind", KINDS)
def test_values_stay_in_range_and_gradients_pass(kind):
    shown = (patches() * 2).clamp(-1, 1).requires_grad_()
    changed = augment(shown, chances(), (kind,))
    changed.sum().backward()
    assert changed.abs().max() <= 1
    assert shown.grad.count_nonzero() > shown.numel() / 2


def test_a_patch_does_not_depend_on_its_neighbours():
    together = augment(patches(), chances(), KINDS)
    alone = torch.cat(
        [augment(patches()[i : i + 1], {kind: c[i : i + 1] for kind, c in chances().items()}, KINDS) for i in range(3)]
    )
    assert torch.equal(together, alone)
