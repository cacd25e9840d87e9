"""The documentation as a site: it is built without a warning, its links lead somewhere, and every page can be read.

A page can be read if it fits a phone and a desk, in light and in dark, its text stands out from its ground (WCAG AA),
each picture has words, no command and no table of up to four columns is cut, no short default is parted, and it says
nothing on the console. What a browser sees needs a Chromium, which no locked dependency brings: on Debian `apt-get
install chromium`.
"""

import html
import json
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome-headless-shell")
HERE = "http://site"
FRAME = '<iframe src="/{page}" style="width:{width}px;height:900px;border:0"></iframe>'
LOOK = """<script>
const parts = colour => (colour.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const over = (top, below) => { const a = top[3] ?? 1; return [0, 1, 2].map(i => a * top[i] + (1 - a) * below[i]); };
const style = one => one.ownerDocument.defaultView.getComputedStyle(one);
const ground = one => {
  const layers = [];
  for (let at = one; at; at = at.parentElement) layers.push(parts(style(at).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
};
const light = colour => {
  const [r, g, b] = colour.map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const faint = root => [...root.querySelectorAll("body *")].filter(one => {
  const words = [...one.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
  const shown = one.checkVisibility({opacityProperty: true, visibilityProperty: true}) && !one.closest("svg");
  if (!words || !shown) return false;
  const looks = style(one), behind = ground(one);
  const [a, b] = [light(over(parts(looks.color), behind)), light(behind)];
  const size = parseFloat(looks.fontSize), large = size >= 24 || (size >= 18.66 && looks.fontWeight >= 700);
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < (large ? 3 : 4.5);
}).map(one => `${one.className || one.tagName}: ${one.textContent.trim().slice(0, 30)}`);
addEventListener("load", () => {
  const found = [...document.querySelectorAll("iframe")].map(frame => {
    const root = frame.contentDocument.documentElement;
    return {
      page: frame.getAttribute("src"), width: root.scrollWidth, faint: [...new Set(faint(root))],
      wordless: [...root.querySelectorAll("img")].filter(one => !one.alt).map(one => one.src),
      ground: frame.contentWindow.getComputedStyle(root.querySelector("body")).backgroundColor,
      cut: [...root.querySelectorAll("pre, .table-wrapper")].filter(one => one.scrollWidth > one.clientWidth)
        .filter(one => !one.querySelector("th:nth-child(5)")).map(one => one.innerText.slice(0, 40)),
      parted: [...root.querySelectorAll("td:nth-child(2):not(:last-child) .pre")]
        .filter(one => /^["\\w]{1,9}$/.test(one.textContent))
        .filter(one => new Set([...one.getClientRects()].map(rect => rect.top)).size > 1).map(one => one.textContent),
      foreign: frame.contentWindow.performance.getEntriesByType("resource").map(one => one.name)
        .filter(one => new URL(one).host !== location.host && !one.startsWith("data:")),
    };
  });
  const meta = document.createElement("meta");
  meta.name = "found";
  meta.content = JSON.stringify(found);
  document.head.append(meta);
});</script>"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: `apt-get install chromium`")


class Page(HTMLParser):
    """What a page links to, and the places within it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.places = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.links += [told[name] for name in ("href", "src") if told.get(name)]
        self.places |= {told["id"]} if told.get("id") else set()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """As `make docs` builds it."""
    pytest.importorskip("sphinx", reason="the extra documentation is not installed")
    folder = tmp_path_factory.mktemp("site")
    told = ["--quiet", "--fail-on-warning", "--nitpicky", "--builder", "dirhtml", "docs", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *told], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Every page by its place."""
    found = {path.parent.relative_to(site).as_posix(): path for path in sorted(site.rglob("index.html"))}
    return {name: Page(path.read_text("utf-8")) for name, path in found.items() if name not in ("search", "genindex")}


def test_every_link_within_the_site_leads_to_a_place_that_is_there(site, pages):
    lost = []
    for name, page in pages.items():
        for link in page.links:
            goal = urlsplit(urljoin(f"{HERE}/{'' if name == '.' else name + '/'}", link))
            if f"{goal.scheme}://{goal.netloc}" != HERE:
                continue
            path = unquote(goal.path).strip("/") or "."
            there = (site / path).is_file() or (site / path / "index.html").is_file()
            known = not goal.fragment or path not in pages or unquote(goal.fragment) in pages[path].places
            if not (there and known):
                lost.append(f"{name}: {link}")
    assert lost == []
    assert len(pages) > 20


@pytest.fixture
def seen(site, tmp_path):
    """A function that opens pages in frames of a width; the answer is what each looks like, and the console."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *told):
            """To a server's log, which nobody reads."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def look(names, width, *, dark=False):
        frames = "".join(FRAME.format(page="" if name == "." else f"{name}/", width=width) for name in names)
        (site / "looked.html").write_text(f"<!doctype html><html><head>{LOOK}</head><body>{frames}</body></html>")
        words = [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--disable-background-networking", "--enable-logging=stderr", "--dump-dom"),
            *(f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--window-size={max(width, 800)},900"),
            f"http://127.0.0.1:{server.server_port}/looked.html",
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=900)
        found = re.search(r'<meta name="found" content="([^"]*)"', done.stdout)
        assert found, done.stdout[:500]
        return json.loads(html.unescape(found[1])), [line for line in done.stderr.splitlines() if ":CONSOLE" in line]

    yield look
    server.shutdown()


@browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_every_page_can_be_read(pages, seen, width, dark):
    found, console = seen(pages, width, dark=dark)
    assert len(found) == len(pages)
    assert console == []
    assert {one["page"]: one["width"] for one in found if one["width"] > width} == {}
    assert {one["page"]: one["cut"] for one in found if one["cut"]} == {}
    assert {one["page"]: one["parted"] for one in found if one["parted"]} == {}
    assert {one["page"]: one["faint"] for one in found if one["faint"]} == {}
    assert [(one["page"], one["wordless"], one["foreign"]) for one in found if one["wordless"] or one["foreign"]] == []
    assert all((sum(map(float, re.findall(r"[\d.]+", one["ground"])[:3])) < 200) == dark for one in found)


@browser
def test_a_page_that_cannot_be_read_is_found(site, seen):
    (site / "bad").mkdir(exist_ok=True)
    (site / "bad" / "index.html").write_text(
        '<!doctype html><body style="background:#fff"><p style="width:900px;color:#bbb">faint</p>'
        '<pre style="width:300px;overflow:auto">eyesoff compare --preset best --corpus emodb --root EMO-DB</pre>'
        '<img src="/_static/architecture.svg"><script>console.error(1)</script></body>'
    )
    (found,), console = seen(["bad"], 390)
    assert found["width"] > 390
    assert found["faint"] == ["P: faint"]
    assert len(found["wordless"]) == len(found["cut"]) == 1
    assert console
