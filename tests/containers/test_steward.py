"""What the steward's page says in figures is what the program does."""

import re
from pathlib import Path

from common.config import load_config
from common.spaces import PATCHES
from common.synthesizers import synthesizer
from common.wire import HEADER_LIMIT, Precision

PAGE = (Path(__file__).parents[2] / "containers" / "STEWARD.md").read_text(encoding="utf-8")


def test_a_release_has_the_size_and_the_tensors_that_the_page_names():
    megabytes, tensors = re.search(
        r"^\| release \| (\d+\.\d) MB \|.* (\d+) tensors in 16 bits", PAGE, re.MULTILINE
    ).groups()
    config = load_config("demo")
    method = synthesizer(config.methods.synthesizer)
    shapes = method.shapes(method.settings_of(config), PATCHES, config.corpus.classes)
    assert len(shapes) == int(tensors)
    size = sum(Precision.FP16.size(shape) for shape in shapes.values())
    assert f"{size / 1e6:.1f}" == f"{(size + HEADER_LIMIT) / 1e6:.1f}" == megabytes
