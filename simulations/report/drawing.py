"""A figure for two homes: inline in the page, where it takes the page's colours and type, and files beside it.

Owns the way from matplotlib to both. Must not know what is drawn. In the page each figure stands twice, laid out for a
wide column and for a phone; a style sheet shows the one that fits, so that type keeps its size.
"""

import base64
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from simulations.pictures import compact
from simulations.report.palette import LIGHT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 460.0
"""Points that whoever draws may reckon with; what stands in the page is as wide as one of the next two."""
WIDE, NARROW = 900.0, 350.0
TALLER = 1.25
"""A wide one is so much taller than what was asked for, and more if that was for less than the usual width."""
SMALLEST = 11.0
"""Points of any letter: shown on a phone a point is a pixel."""
SINGLE = 300.0
"""What is asked for narrower than this stands beside others like it, and has one form."""
DOTS_PER_INCH = 120
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 11.5,
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
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "grid.color": LIGHT["line"],
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 11.5,
    "figure.facecolor": "none",
    "figure.edgecolor": "none",
}


@dataclass(frozen=True)
class Drawing:
    """One figure: its name among the files, what a person who cannot see it should know, and its forms."""

    name: str
    alt: str
    svg: str
    png: bytes
    narrow: str = ""
    """The same for a phone; nothing where one form fits both."""
    file: str = ""
    """The wide one with colours and type of its own, as a file."""


@contextmanager
def canvas(height: float, *, width: float = WIDTH) -> Iterator["Figure"]:
    """An empty figure of so many points, in the style of the report."""
    # Drawing costs a second of start-up, which no other command should pay.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        yield Figure(figsize=(width / 72, height / 72), layout="constrained")


def finish(figure: "Figure", name: str, alt: str) -> Drawing:
    """All forms of a figure, inside its `canvas`; the same bytes for the same drawing."""
    name, narrow = re.sub(r"[^\w-]+", "-", name), ""
    width, height = (72 * inches for inches in figure.get_size_inches())
    _enlarge_type(figure)
    if width > SINGLE:
        narrow = _for_the_page(_vector(figure, name, NARROW, height), f"{name}-narrow")
        width, height = WIDE, height * TALLER * WIDTH / min(width, WIDTH)
    vector = _vector(figure, name, width, height)
    return Drawing(name, alt, _for_the_page(vector, name), _raster(figure), narrow, _as_file(vector))


def _enlarge_type(figure: "Figure") -> None:
    from matplotlib.text import Text

    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            axis.get_ticklabels(which="both")  # which makes them
    for text in figure.findobj(Text):
        if float(text.get_fontsize()) < SMALLEST:
            text.set_fontsize(SMALLEST)


def _vector(figure: "Figure", name: str, width: float, height: float) -> str:
    """As `savefig` writes it, which would draw all of it once more beforehand for the layout's sake."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    content = io.StringIO()
    figure.set_size_inches(width / 72, height / 72)
    with rc_context({"svg.hashsalt": name}):
        FigureCanvasSVG(figure).print_svg(content, metadata={"Date": None})
    return content.getvalue()


def _raster(figure: "Figure") -> bytes:
    """With the places of the last vector: to look for them costs as much as to draw."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_layout_engine("none")
    figure.set_dpi(DOTS_PER_INCH)
    figure.set_facecolor(LIGHT["paper"])
    drawn = FigureCanvasAgg(figure)
    drawn.draw()
    return compact(Image.fromarray(np.asarray(drawn.buffer_rgba())))


def _as_file(svg: str) -> str:
    """On paper of its own, for a viewer may have a dark one."""
    head, tag, rest = svg.partition("<svg")
    opening, body = rest.split(">", 1)
    ground = f'<rect width="100%" height="100%" fill="{LIGHT["paper"]}"/>'
    return f"{head}{tag}{opening}>{ground}{body}"


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
