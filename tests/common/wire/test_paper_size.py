"""A generator of the paper's size crosses the wire; by hand: `pytest -m slow -s tests/common/wire`."""

import re
from pathlib import Path

import pytest
import torch

from common.spaces import PATCHES
from common.synthesizers.methods.eskimez import SYNTHESIZER
from common.wire import HEADER_LIMIT, Card, Collect, Precision, Release, decode_reply, encode

STATUS = Path("/proc/self/status")
FLOATS = [precision for precision in Precision if precision.dtype.is_floating_point]


def memory(field):
    return int(re.search(rf"{field}:\s+(\d+) kB", STATUS.read_text())[1]) * 1024


def peak_above_start(work):
    """What `work` returns, and how many bytes it needed at its worst, the result included."""
    Path("/proc/self/clear_refs").write_text("5")  # forgets the peak so far
    start = memory("VmRSS")
    result = work()
    return result, memory("VmHWM") - start


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="reads the peak from Linux's /proc")
@pytest.mark.parametrize("precision", FLOATS)
def test_a_generator_of_paper_size_passes_within_one_more_copy_of_its_weights(tune, precision):
    settings = SYNTHESIZER.Settings()
    own = {"settings": settings.model_dump(mode="json"), "precision": precision}
    tuning = tune.tuning.model_copy(update=own)
    released = {name: torch.full(shape, 0.01) for name, shape in SYNTHESIZER.shapes(settings, PATCHES, 4).items()}
    weights = sum(value.nbytes for value in released.values())
    release = Release(card=Card(tuning=tuning, known=(True,) * 4, utterances=None, seconds=1), released=released)

    data, encoding = peak_above_start(lambda: encode(release))
    back, decoding = peak_above_start(lambda: decode_reply(data, Collect(tuning=tuning)))
    copies = f"encoding {encoding / weights:.2f}, decoding {decoding / weights:.2f} copies of the weights"
    print(f"\n{precision}: {len(data):,} bytes; {copies}")

    assert back.card == release.card
    assert len(data) - weights * precision.width // 4 < HEADER_LIMIT
    assert encoding < 1.1 * weights
    assert decoding < 0.1 * weights
