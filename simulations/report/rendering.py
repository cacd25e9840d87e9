"""A page that needs nothing else: its template, the style sheet and the colours, together in one file.

Owns the frame of every page and the pieces that pages share: tables, figures, lists of facts. Must not know what a page
tells.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from simulations.report import palette

HERE = Path(__file__).parent


def render(template: Path, content: Mapping[str, Any]) -> str:
    """The same bytes for the same content; the template may extend `frame.html` and import `pieces.html`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    rooms = Environment(
        loader=FileSystemLoader([template.parent, HERE]), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    style = (HERE / "style.css").read_text(encoding="utf-8")
    look = {"style": style, "light": palette.variables(dark=False), "dark": palette.variables(dark=True)}
    page = rooms.get_template(template.name).render({**content, **look})
    return page.replace(" %", "\N{NO-BREAK SPACE}%")
