"""Sets of samples beside the training part, or alone."""

import pytest

from common.protocols import protocol
from common.protocols.drawing import counts
from common.protocols.methods.augmentation_curve import CurveConfig, Settings

CURVE, ALONE = protocol("augmentation-curve"), protocol("synthetic-only")
SHORT = Settings(curve=CurveConfig(sets=2, draws=2))


@pytest.mark.parametrize(("one", "first"), [(CURVE, 0), (ALONE, 1)], ids=["curve", "alone"])
def test_every_set_is_as_large_as_the_training_part_and_as_uneven(one, first, corpus_of):
    trials = one.trials(corpus_of(3, each=(4, 2, 1)), SHORT, 0)
    for trial in trials:
        number = int(trial.arm.removeprefix("q = "))
        assert trial.filling.real == (one is CURVE)
        assert trial.filling.samples == {label: number * count for label, count in counts(trial.train).items()}
        assert (trial.repeat == 0) == (number == 0)
    assert {trial.arm for trial in trials} == {f"q = {number}" for number in range(first, 3)}


def test_the_papers_curve_has_ten_sets_and_three_draws(corpus_of):
    trials = CURVE.trials(corpus_of(2), Settings(), 0)
    assert len(trials) == 2 * (1 + 10 * 3)
    assert trials[-1].arm == "q = 10"
