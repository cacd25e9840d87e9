"""The curve of privacy says what its runs say, and stands in its pages as it is made."""

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from common.scoring import Summary
from simulations.comparison.schema import Attack, Results, Row
from simulations.comparison.schema import Tested as Fold
from simulations.report.privacy import PLACE, curve, picture_block, privacy_block
from simulations.report.skew import placed, read_runs

ROOT = Path(__file__).parents[3]
IMAGE = "docs/_static/privacy.png"


def row(value, attack=None, *, synthesizer="gaussian", verdicts=None, **told):
    summary = Summary(value, value - 0.1, value + 0.1, None, None, folds=2, seeds=1, n=9)
    found = None if attack is None else Attack(attack, attack - 0.05, attack + 0.05, 0.0, 10, 90, 8, verdicts or {})
    return Row("", synthesizer, True, [0], macro_f1=summary, attack=found, **told)


@pytest.fixture
def run():
    return Results(
        corpus="emodb",
        preset="privacy",
        identity="",
        labels=["sad", "happy"],
        seeds=[0],
        settings={"methods": {"recognizer": "nearest-mean"}},
        command="eyesoff compare",
        folds=[Fold("", ["a", "b"], [6, 6])],
        modes={
            "real": row(0.8, synthesizer=None),
            "gaussian, federated": row(0.7, 0.9, verdicts={"cannot-tell": 2, "refuse": 8}, releases=1, bytes=70_000),
            "gaussian at epsilon 8": row(0.65, 0.6, releases=1, bytes=70_000, epsilon=8.0, delta=1e-5),
            "gaussian summed at epsilon 8": row(0.68, 0.55, releases=1, bytes=1_500, epsilon=8.0, delta=1e-5),
            "federated averaging, 20 rounds": row(0.75, 0.8, synthesizer=None, releases=20, bytes=9_000_000),
        },
        environment={"eyesoff": "0.1.0"},
    )


def test_a_row_says_what_it_reaches_what_is_told_what_is_promised_and_what_leaves(run):
    lines = [line for line in privacy_block([run]).splitlines() if line.startswith("| emodb")]
    assert lines[0].endswith("| nearest-mean | real | 0.800 | 0.700 to 0.900 | – | – | – | – | – | – | – |")
    assert lines[1].endswith("| 0.900 | 0.850 to 0.950 | cannot tell 2, refuse 8 | none | – | 1 | 70.0 kB |")
    assert lines[2].endswith("| 0.600 | 0.550 to 0.650 | – | 8 | 1e-05 | 1 | 70.0 kB |")
    assert lines[4].endswith("| none | – | 20 | 9.00 MB |")


def test_the_text_says_what_was_tested_and_how_it_was_made(run):
    block = privacy_block([run])
    assert "emodb, n = 12 utterances of 2 speakers, 1 fold, 1 seed, recognizer nearest-mean" in block
    assert "from 8 fits to halves an audit" in block
    assert "`make privacy-gan`; the first run was `eyesoff compare`" in block


def test_what_failed_is_told(run):
    failed = replace(run, modes={**run.modes, "gaussian at epsilon 8": Row("", "gaussian", False, [])})
    assert "| emodb | nearest-mean | gaussian at epsilon 8 | failed | – |" in privacy_block([failed])


def test_the_figure_has_a_point_for_each_attack_and_its_words_name_them_all(run):
    drawn = curve([run, replace(run, corpus="ravdess")])
    assert drawn.svg.count(">8</text>") == 4
    assert "along a line epsilon: 8, none" in drawn.svg
    assert drawn.svg.count(">20 rounds</text>") == 2
    assert "emodb, one noise for the sum: epsilon 8 0.680 at 0.550" in drawn.alt
    assert "ravdess, noise at each site: none 0.700 at 0.900, epsilon 8 0.650 at 0.600" in drawn.alt
    assert "real" not in drawn.alt


def test_runs_of_one_corpus_share_a_panel_and_generators_are_marked_by_rank(run):
    generators = {
        "federated": row(0.72, 0.57, synthesizer="eskimez", releases=1, bytes=390_000),
        "centralized": row(0.73, 0.52, synthesizer="eskimez"),
        "rank 4": row(0.71, 0.55, synthesizer="eskimez", releases=1, bytes=22_200),
    }
    settings = {"methods": {"recognizer": "cnn"}}
    drawn = curve([run, replace(run, modes={"real": row(0.8, synthesizer=None), **generators}, settings=settings)])
    assert drawn.svg.count(">emodb</text>") == 1
    assert "emodb, the paper's GAN: whole 0.720 at 0.570, one site 0.730 at 0.520, rank 4 0.710 at 0.550" in drawn.alt


def test_what_is_neither_the_gan_nor_a_gaussian_at_its_sites_is_no_point_of_their_lines(run):
    others = {
        "m1, federated": row(0.7, 0.8, synthesizer="m1", releases=1, bytes=1),
        "gaussian": row(0.6, 0.9),
        "half": row(0.5, 0.6, synthesizer="eskimez", releases=1, bytes=1),
    }
    others["of a package that is not here"] = row(0.4, 0.7, synthesizer="absent")
    drawn = curve([replace(run, modes=others)])
    assert "other synthesizers: m1, federated 0.700 at 0.800, gaussian 0.600 at 0.900, of a package" in drawn.alt
    assert "the paper's GAN: half 0.500 at 0.600" in drawn.alt
    assert "noise at each site" not in drawn.alt
    assert "along a line" not in drawn.svg, "there is none"


def test_the_pages_say_what_the_stored_runs_say():
    runs = read_runs(ROOT / "results" / "privacy")
    assert {run.corpus for run in runs} == {"emodb", "ravdess"}
    for page, block, name in (
        ("docs/results.md", privacy_block(runs), PLACE),
        ("README.md", picture_block(runs, IMAGE), PLACE),
    ):
        text = (ROOT / page).read_text(encoding="utf-8")
        assert placed(text, block, name) == text, "make privacy, or python -m simulations.report.privacy"


def test_the_stored_figure_is_read_on_a_narrow_screen_and_on_any_ground():
    with Image.open(ROOT / IMAGE) as image:
        width, _ = image.size
        corner = image.convert("RGBA").getpixel((1, 1))
    assert 390 <= width <= 800
    assert min(corner[:3]) > 240
    assert corner[3] == 255


def test_what_the_issue_asks_of_private_scores_holds_in_the_stored_run():
    """Bars of EMO-DB: noise at each site, and one noise for the sum."""
    stored = (one for one in read_runs(ROOT / "results" / "privacy") if one.corpus == "emodb")
    run = next(one for one in stored if "gaussian at epsilon 8" in one.modes)
    bars = {8: (0.64, 0.66), 4: (0.60, 0.65)}
    for epsilon, (site, summed) in bars.items():
        assert run.modes[f"gaussian at epsilon {epsilon}"].macro_f1.mean >= site
        assert run.modes[f"gaussian summed at epsilon {epsilon}"].macro_f1.mean >= summed
