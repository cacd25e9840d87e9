"""The live page in a real browser: it shows what a run tells, follows it, fits its window and asks nobody else.

Needs a Chromium, which no locked dependency brings: on Debian `apt-get install chromium`.
"""

import html
import json
import re
import shutil
import subprocess

import pytest

from common.wire import Stage, Working
from simulations.live import serving
from simulations.live.picture import Picture

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome-headless-shell")
PHONE = 500
"""Chromium's smallest window; the page's body is made as wide as a phone there."""
ASKED = """<script>if (innerWidth <= 500) document.body.style.width = "390px";
addEventListener("load", () => setTimeout(() => {
  const words = [...document.querySelectorAll(".rows span")];
  const squeezed = words.filter(one => one.clientHeight > 3 * 28).map(one => one.textContent);
  const cut = [...document.querySelectorAll(".box")].filter(one => one.scrollWidth > one.clientWidth);
  const meta = document.createElement("meta");
  meta.name = "found";
  meta.content = JSON.stringify({width: document.documentElement.scrollWidth, window: innerWidth,
    squeezed, cut: cut.map(one => one.innerText), ground: getComputedStyle(document.body).backgroundColor,
    asked: performance.getEntriesByType("resource").map(one => new URL(one.name).pathname)});
  document.head.append(meta);
}, 2500));</script></body>"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: `apt-get install chromium` brings one"),
]


@pytest.fixture
def seen(tmp_path):
    """A function that opens an address and tells the document's text after some seconds, its markup, the console."""

    def look(address, width=1440, *, dark=False, milliseconds=6000):
        words = [
            *(CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"),
            *("--disable-background-networking", "--enable-logging=stderr", "--dump-dom"),
            *(f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--window-size={width},900"),
            *(f"--virtual-time-budget={milliseconds}", address),
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=200)
        text = html.unescape(re.sub(r"<[^>]+>", " ", re.sub(r"<(script|style).*?</\1>", "", done.stdout, flags=re.S)))
        return " ".join(text.split()), done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]

    return look


def test_everything_that_a_run_tells_is_shown_as_words(busy, page_of, seen):
    text, markup, console = seen(page_of(busy).address)
    assert console == []
    for words in ("At work", "simulation", "tune generators", "generator in the bank", "tuning, 3 of 9", "1.2 kB"):
        assert words in text
    assert "client 1 (B) at tune: <b>no answer</b>" in text
    assert "<b>" not in markup.replace("&lt;b&gt;", "")
    assert "C is put aside: constant" in text
    assert markup.count("<polyline ") == 1


def test_a_run_that_has_ended_says_so(busy, events, page_of, seen):
    events.write(event="ended", what="simulation", how="failed", line="fewer than the quorum")
    text, _, _ = seen(page_of(busy).address)
    assert re.search(r"Ended: failed, \d:\d\d:\d\d: fewer than the quorum", text)


@pytest.mark.parametrize(("ended", "said"), [(None, "Nothing so far."), (2.0, "Nothing. This page")])
def test_only_of_a_run_at_work_more_is_awaited(run, events, served, seen, ended, said):
    events.stage("tune", 1)
    told = {**Picture(run).look(), "ended": ended}
    text, _, _ = seen(served(lambda: {"now": 2.0, "runs": [told]}).address)
    assert said in text


def test_no_pace_is_told_before_one_is_measured(run, events, page_of, seen):
    events.stage("train", 1)
    events.write(event="training", unit="everyone", step=0, iterations=40, rate=0.0)
    text, _, _ = seen(page_of(run).address)
    assert "0 of 40" in text
    assert "a second" not in text


def test_quantities_are_told_in_words(run, events, page_of, seen):
    events.stage("fit", 1)
    for step in (1, 2):
        values = {"discriminator/real_right": 0.5, "discriminator/fake_right": 0.5, "critic/own_loss": 0.5, "loss": 0.5}
        events.write(event="training", unit="fit", step=step, iterations=9, rate=1.0, **values)
    text, _, _ = seen(page_of(run).address)
    for words in (
        "discriminator: share of real examples named right, 0.500",
        "discriminator: share of made examples called made, 0.500",
        "critic: own loss, 0.500",
        " loss, 0.500",
    ):
        assert words in text


def test_what_left_on_another_day_is_told_by_its_date(run, events, served, seen):
    events.stage("tune", 1)
    sent = {"client": "A", "kind": "release", "count": 1, "bytes": 1200, "last": 1_000_000_000.0}
    told = {**Picture(run).look(), "left": [sent]}
    text, _, _ = seen(served(lambda: {"now": 1.0, "runs": [told]}).address)
    assert "2001" in text


def test_the_page_follows_a_run(run, events, served, seen):
    looks = []

    def look():
        looks.append(1)
        return {"now": 1.0, "runs": [{**told, "failures": [{"line": f"look {len(looks)}", "time": 1.0}]}]}

    events.stage("tune", 2)
    told = Picture(run).look()
    text, _, _ = seen(served(look).address, milliseconds=5000)
    assert len(looks) > 1
    assert int(re.search(r"look (\d+)", text)[1]) > 1


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 1440])
def test_the_page_fits_a_phone_and_a_desk_and_asks_for_its_own_data_alone(
    busy, events, page_of, seen, monkeypatch, width, dark
):
    tuning = Working(run="run", session="Session3", stage=Stage.TUNE, step=120, iterations=4000, rate=2.6)
    events.working("Session3", tuning)
    events.write(event="left", unit="Session3", kind="description", bytes=360)
    page, policy = serving.page()
    looking = page.decode().replace("</body>", ASKED).encode()
    loosened = re.sub(r"script-src '[^']*'", "script-src 'unsafe-inline'", policy)
    monkeypatch.setattr(serving, "page", lambda: (looking, loosened))
    _, markup, console = seen(page_of(busy).address, width, dark=dark)
    found = json.loads(html.unescape(re.search(r'<meta name="found" content="([^"]*)"', markup)[1]))
    assert found["width"] <= found["window"] == width
    assert (found["squeezed"], found["cut"]) == ([], [])
    assert found["ground"] == ("rgb(20, 23, 27)" if dark else "rgb(253, 253, 251)")
    assert set(found["asked"]) == {"/run.json"}
    assert console == []


def test_a_script_that_is_not_the_pages_own_does_not_run(busy, page_of, seen, monkeypatch):
    page, policy = serving.page()
    foreign = page.decode().replace("</body>", "<script>document.title = 'mine'</script></body>").encode()
    monkeypatch.setattr(serving, "page", lambda: (foreign, policy))
    _, markup, console = seen(page_of(busy).address)
    assert "<title>mine" not in markup
    assert console
