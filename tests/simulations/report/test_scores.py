"""Figures of the scores keep room for what they draw."""

import warnings

import pytest

from simulations.comparison.schema import read_results
from simulations.report.scores import pairs


@pytest.fixture
def drawn(results, run_of):
    """A function that draws pairs of such names, and says whether there was no room."""

    def draw(first, second):
        for row in results["paired"]:
            row |= {"first": first, "second": second}
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            pairs(read_results(run_of(results)))
        return any("collapsed" in str(one.message) for one in told)

    return draw


def test_a_pair_of_long_names_leaves_room_for_its_interval_on_a_phone(drawn):
    assert not drawn("federated averaging, 20 rounds", "gaussian summed at epsilon 8")


def test_a_name_that_no_width_holds_is_what_would_be_told(drawn):
    """A control: the test above can fail."""
    assert drawn("federated " * 8, "real")
