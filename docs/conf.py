"""How the documentation is built: `make docs`. Pages are Markdown.

Under `generated/` lie the reference, written from the code, and the pages that people find elsewhere in the repository.
"""

import re
import sys
from pathlib import Path
from typing import ClassVar

from pygments.lexer import RegexLexer
from pygments.token import Name, Whitespace
from sphinx.application import Sphinx

HERE = Path(__file__).parent
ROOT = HERE.parent
GENERATED = HERE / "generated"
sys.path.insert(0, str(ROOT))

from common.version import VERSION  # noqa: E402 - the root must be on the path first
from simulations import documentation, notebooks  # noqa: E402

PAGES = {
    "security": ROOT / "SECURITY.md",
    "attacks": ROOT / "tests" / "attacks" / "README.md",
    "steward": ROOT / "containers" / "STEWARD.md",
    "extend": ROOT / "CONTRIBUTING.md",
    "changes": ROOT / "CHANGELOG.md",
}
LINKS = {
    "SECURITY.md": "security.md",
    "STEWARD.md": "steward.md",
    "containers/STEWARD.md": "steward.md",
    "tests/attacks/README.md": "attacks.md",
    "CHANGELOG.md": "changes.md",
    "../docs/how-to/assessment.md": "../how-to/assessment.md",
}


def with_links(text: str) -> str:
    """Links to other pages lead there; one to what is no page, such as a test, becomes its words."""

    def there(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if picture:
            return f"![{words}]({target.replace('../docs/', '../')})"
        if target in LINKS:
            return f"[{words}]({LINKS[target]})"
        return link[0] if re.match("https?:|#", target) else words

    return re.sub(r"(!?)\[([^]]+)\]\(([^)]+)\)", there, text)


GENERATED.mkdir(exist_ok=True)
documentation.write(GENERATED)
notebooks.write(HERE / "notebooks")
for name, source in PAGES.items():
    (GENERATED / f"{name}.md").write_text(with_links(source.read_text("utf-8")), "utf-8")

project = "eyesoff"
author = "the eyesoff authors"
release = VERSION
extensions = ["myst_parser"]
exclude_patterns = ["site"]
myst_heading_anchors = 3
smartquotes = False  # it would make one dash of the two before an option
html_theme = "furo"
html_title = f"eyesoff {VERSION}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"
html_show_copyright = False
html_show_sourcelink = False
html_theme_options = {"top_of_page_buttons": []}


class Commands(RegexLexer):
    """Commands word by word, without colours: those of a shell's lexer, on `local` and numbers, mean nothing here."""

    name = "Commands"
    tokens: ClassVar = {"root": [(r"\S+", Name), (r"\s+", Whitespace)]}


def setup(app: Sphinx) -> None:
    """What Sphinx calls before it builds."""
    app.add_lexer("bash", Commands)
