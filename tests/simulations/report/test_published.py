"""What papers printed stands beside the protocol that it is like, and beside no other."""

import pytest

from common.config import PRESETS, load_config
from simulations.comparison.modes import MODES
from simulations.report.published import PRINTED, number_for, printed_for


@pytest.mark.parametrize("preset", PRINTED)
def test_a_papers_rows_are_modes_and_its_protocol_is_one(preset):
    from common.protocols import PROTOCOLS

    printed = printed_for(preset)
    assert preset in PRESETS
    assert set(printed.rows) <= set(MODES)
    assert printed.protocol in PROTOCOLS
    assert set(load_config(preset).compare.modes) & set(printed.rows)


def test_a_number_stands_beside_its_protocol_alone():
    assert number_for("chatziagapi", "imbalance", "baseline") == "53.6"
    assert number_for("chatziagapi", "leave-one-session-out", "baseline") is None
    assert number_for("emodb", "leave-one-session-out", "federated") == "50.39 ± 3.31"
    assert number_for("emodb", "leave-one-session-out", "floor") is None
