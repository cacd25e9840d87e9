"""The page in a real browser: it fits its window, says nothing on the console and asks nobody for anything.

Needs a Chromium on this machine, which no locked dependency brings: run by hand with `make test-slow`.
"""

import html
import json
import re
import shutil
import subprocess

import pytest

from simulations.report import writing

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome-headless-shell")
WATCHED = """<!doctype html><body><iframe srcdoc="{page}" style="width:{width}px;height:900px;border:0"></iframe>
<script>document.querySelector("iframe").onload = event => {{
  const root = event.target.contentDocument.documentElement, ground = getComputedStyle(root.querySelector("body"));
  const asked = event.target.contentWindow.performance.getEntriesByType("resource").map(one => one.name)
    .filter(one => !one.startsWith("data:"));
  const squeezed = [...root.querySelectorAll(".facts div")]
    .filter(row => row.scrollWidth > row.clientWidth || row.querySelector("dd").clientHeight > 3 * 28)
    .map(row => row.innerText);
  const tall = [...root.querySelectorAll("tbody th, tbody td")].filter(cell => cell.clientHeight > 14 * 16);
  squeezed.push(...tall.map(cell => cell.innerText));
  const words = [...root.querySelectorAll("tbody th, pre code, pre span")].flatMap(one => [...one.childNodes])
    .filter(node => node.nodeType === 3).flatMap(node => [...node.data.matchAll(/\\S+/g)].map(found => {{
      const range = node.ownerDocument.createRange();
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      return [found[0], range];
    }}));
  // A hash is wider than a phone.
  const parted = words.filter(([word]) => word.startsWith("--") || !word.includes(".") && word.length < 64)
    .filter(([, range]) => new Set([...range.getClientRects()].map(one => one.top)).size > 1);
  squeezed.push(...parted.map(([word]) => word));
  const found = {{width: root.scrollWidth, ground: ground.backgroundColor, asked, squeezed}};
  document.title = JSON.stringify(found);
}}</script>"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]


@pytest.fixture
def seen(tmp_path):
    """A function that opens a page and tells what came of it: width, ground, addresses asked for, console."""

    def look(page, width, *, dark=False):
        watched = tmp_path / "watched.html"
        watched.write_text(WATCHED.format(page=html.escape(page), width=width))
        words = [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--disable-background-networking", "--enable-logging=stderr", "--dump-dom"),
            *(f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--window-size={max(width, 800)},900"),
            watched.as_uri(),
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
        title = re.search(r"<title>(\{.*?\})</title>", done.stdout)
        assert title, done.stdout[:500]
        console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
        return json.loads(title[1]) | {"console": console}

    return look


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_the_page_fits_its_window_in_silence(built, seen, width, dark):
    found = seen(built.page, width, dark=dark)
    assert found["width"] <= width
    assert found["squeezed"] == []
    assert found["ground"] == ("rgb(20, 23, 27)" if dark else "rgb(253, 253, 251)")
    assert found["console"] == []
    assert found["asked"] == []


def test_a_page_that_is_too_wide_or_asks_for_something_is_found(built, seen):
    wide = '<p style="width: 600px">wide</p><img src="http://127.0.0.1:9/nothing.png"><script>console.error(1)</script></main>'
    found = seen(built.page.replace("</main>", wide), 390)
    assert found["width"] > 390
    assert found["console"]
    assert found["asked"] == ["http://127.0.0.1:9/nothing.png"]


@pytest.mark.parametrize("width", [390, 1440])
def test_names_and_options_are_not_parted(results, run_of, seen, width):
    for part in ("modes", "counts"):
        results[part]["undersampling 0.4"] = results[part].pop("floor")
    results["modes"]["undersampling 0.4"]["about"] = ""
    results["paired"] = []
    results["gap_closed"] = {}
    results["command"] = (
        "eyesoff compare --preset best --set compare.quality=false --workers 1 --units runs/units --seeds 1"
    )
    run = run_of(results)
    page = writing.write_report(run).read_text("utf-8")
    assert "undersampling 0.4" in page
    assert seen(page, width)["squeezed"] == []
