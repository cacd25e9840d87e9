"""A figure for two homes: inline in the page, where it takes the page's colours and type, and a PNG beside it.

Owns the way from matplotlib to both. Must not know what is drawn.
"""

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from simulations.pictures import compact
from simulations.report.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 460.0
"""Points; on the page they are stretched or shrunk to the column, so type stays readable on a phone."""
DOTS_PER_INCH = 160
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "axes.labelcolor": LIGHT["soft"],
    "axes.edgecolor": LIGHT["line"],
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": LIGHT["ink"],
    "xtick.color": LIGHT["line"],
    "ytick.color": LIGHT["line"],
    "xtick.labelcolor": LIGHT["soft"],
    "ytick.labelcolor": LIGHT["soft"],
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "grid.color": LIGHT["line"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "figure.facecolor": LIGHT["paper"],
}


@dataclass(frozen=True)
class Drawing:
    """One figure: its name among the files, what a person who cannot see it should know, and both forms."""

    name: str
    alt: str
    svg: str
    png: bytes


@contextmanager
def canvas(height: float, *, width: float = WIDTH) -> Iterator["Figure"]:
    """An empty figure of so many points, in the style of the report."""
    # Drawing costs a second of start-up, which no other command should pay.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        yield Figure(figsize=(width / 72, height / 72), layout="constrained")


def finish(figure: "Figure", name: str, alt: str) -> Drawing:
    """Both forms of a figure, inside its `canvas`; the same bytes for the same drawing."""
    from matplotlib import rc_context

    name = re.sub(r"[^\w-]+", "-", name)
    vector, raster = io.StringIO(), io.BytesIO()
    with rc_context({"svg.hashsalt": name}):
        figure.savefig(vector, format="svg", transparent=True, metadata={"Date": None})
    figure.savefig(raster, format="png", dpi=DOTS_PER_INCH)
    return Drawing(name, alt, _for_the_page(vector.getvalue(), name), compact(Image.open(raster)))


def _for_the_page(svg: str, name: str) -> str:
    """Without addresses, sizes and fonts of its own; colours become the page's variables, ids the figure's own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    head, body = svg.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    body = body.replace("xlink:href", "href")
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = body.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    body = re.sub(r"font-family: [^;\"]+;? ?", "", body)
    for colour, light in LIGHT.items():
        body = body.replace(light, f"var(--{colour})")
    body = re.sub(r'data:image/png;base64,([^"]+)', _smaller, body)
    return f"<svg {box.group() if box else ''}>{body}"


def _smaller(found: re.Match[str]) -> str:
    content = compact(Image.open(io.BytesIO(base64.b64decode(found[1]))))
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"
