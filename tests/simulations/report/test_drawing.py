"""One drawing, two homes."""

import io

import numpy as np
from PIL import Image

from simulations.report.drawing import canvas, finish
from simulations.report.palette import COLOURS, LIGHT


def drawn(name="a+b"):
    with canvas(100) as figure:
        axes = figure.subplots()
        axes.plot([0, 1], color=LIGHT["federated"])
        axes.imshow(np.eye(8), interpolation="none")
        axes.set_title("words")
        return finish(figure, name, "a line")


def test_the_inline_form_takes_the_pages_colours_and_type_and_its_ids_are_its_own():
    svg = drawn().svg
    assert "var(--federated)" in svg
    assert not any(light in svg for light in LIGHT.values())
    assert "font-family" not in svg
    assert "DejaVu" not in svg
    assert svg.count('id="a-b-') == svg.count('id="') > 0
    assert "://" not in svg


def test_the_same_drawing_gives_the_same_bytes():
    assert drawn() == drawn()


def test_the_png_is_on_paper():
    picture = Image.open(io.BytesIO(drawn().png)).convert("RGB")
    assert picture.width > 900
    paper = tuple(bytes.fromhex(LIGHT["paper"].removeprefix("#")))
    assert max(abs(one - other) for one, other in zip(picture.getpixel((2, 2)), paper, strict=True)) < 6


def test_no_two_colours_are_one():
    assert len(set(LIGHT.values())) == len({dark for _, dark in COLOURS.values()}) == len(COLOURS)
