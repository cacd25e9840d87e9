"""The page: all that was stored and nothing else, complete in itself, readable by anybody."""

import csv
import re
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import pytest

from common.errors import UserError
from simulations.comparison.schema import SCHEMA, read_results
from simulations.report import page as page_module
from simulations.report.evidence import Evidence
from simulations.report.page import ASIDE, LARGEST, SECTIONS, build
from simulations.report.published import LINK
from simulations.report.wording import score
from simulations.report.writing import write_report

SPACE = "\N{NO-BREAK SPACE}"


class Reader(HTMLParser):
    """Elements with their attributes, and the words of each section."""

    def __init__(self):
        super().__init__()
        self.elements, self.words, self._section, self._silent = [], {}, "answer", 0

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag == "section":
            self._section = dict(attributes)["id"]
        self._silent += tag in ("style", "svg")

    def handle_endtag(self, tag):
        self._silent -= tag in ("style", "svg")

    def handle_data(self, data):
        if not self._silent:
            self.words[self._section] = self.words.get(self._section, "") + data


def read(page):
    reader = Reader()
    reader.feed(page)
    return reader


@pytest.fixture(scope="module")
def reader(built):
    return read(built.page)


def test_what_was_put_aside_is_named_with_its_reason_and_in_no_section_where_nothing_was(
    results, run_of, reader, blank_figures
):
    aside = [{"session": "03+08", "seed": 1, "reason": "12 of 128 samples are <not> finite"}]
    told = read(build(read_results(run_of(results | {"quarantined": aside})), Evidence()).page)
    assert "03+08" in told.words["quarantined"]
    assert "12 of 128 samples are <not> finite" in told.words["quarantined"]
    assert "1 generator of clients not trained on" in told.words["answer"]
    assert ("a", {"href": "#quarantined"}) in told.elements
    for page in (reader, read(build(read_results(run_of(results | {"quarantined": []})), Evidence()).page)):
        assert "quarantined" not in page.words
        assert ("a", {"href": "#quarantined"}) not in page.elements


def test_the_headline_answers_with_ratio_interval_gap_and_n(reader):
    words = reader.words["answer"].replace(SPACE, " ")
    assert "federated synthetic speech alone, a recognizer reaches 88 % of the score that real speech gives" in words
    assert "0.752 (0.706 to 0.784) against 0.848 (0.802 to 0.880)" in words
    assert "closes 68 % of the gap (44 to 89 %, n = 80)" in words
    assert "n = 80 utterances of 4 speakers, 2 folds, 2 seeds" in words


def test_a_corrected_p_stands_beside_its_own_and_what_it_makes_unsure_is_not_called_sure(
    results, run_of, blank_figures
):
    row = results["paired"][0] | {"holm": 0.0624, "different": False}
    words = read(write_report(run_of(results | {"paired": [row, *results["paired"][1:]]})).read_text()).words
    assert "p = 0.031\nHolm = 0.062" in words["pairs"].replace(SPACE, " ")
    assert "Holm = 0.062, sure" not in words["pairs"]
    assert "Holm is p corrected" in words["pairs"]


def test_results_of_before_the_correction_are_not_said_to_have_it(reader):
    assert "Holm" not in reader.words["pairs"]


@pytest.mark.parametrize("metric", ["macro_f1", "uar", "accuracy"])
def test_every_score_is_shown_with_its_interval(reader, results, metric):
    words = reader.words["results"]
    for mode in results["modes"].values():
        if found := mode[metric]:
            shown = f"{score(found['mean'])}{score(found['low'])} to {score(found['high'])}"
            assert shown in words


def test_the_papers_numbers_stand_beside_the_measured_ones(reader):
    for number in ("57.27 ± 0.99", "50.39 ± 3.31", "43.05 ± 2.97"):
        assert number in reader.words["results"]


def test_a_failed_unit_appears_with_its_reason_in_the_table_and_among_the_failures(reader):
    assert "failedno <room>" in reader.words["results"]
    assert "fit chatziagapi, a, seed 0" in reader.words["failures"]
    assert "no <room>" in reader.words["failures"]


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        ("results", "± 0.023 folds\n± 0.012 seeds"),
        ("pairs", "0.0960.041 to 0.150\np = 0.031, sure"),
        ("ablations", "sampling.latent_scale1.30.7521.00.731−0.021"),
        ("ablations", "finetuning.even_startfalse0.752truefailed"),
        ("quality", "41.7± 3.18"),
        ("quality", "control: the real examples themselves"),
        ("leaving", "2.3 kB1 release1,160 numbers"),
        ("leaving", "how many utterances of each emotion (17, 23)"),
        ("leaving", "whole, 2 lines"),
        ("cost", "draw samples and train a recognizer1250:02:0310.3 s"),
        ("environment", "eyesoff compare --seeds 2 --run <b>run</b>"),
        ("environment", "network.width0.0625"),
        ("environment", "python3.11.7"),
        ("environment", "pretraining.adversarial.generator_learning_rate0.0001"),
    ],
)
def test_what_was_stored_stands_in_its_section(reader, section, shown):
    assert shown in reader.words[section].replace(SPACE, " ")


def test_the_page_needs_nothing_else(built, reader):
    assert "://" not in built.page.replace(LINK, "")
    assert "@import" not in built.page
    sources = [
        value for _, attributes in reader.elements for name, value in attributes.items() if name in ("src", "href")
    ]
    assert sources
    assert [source for source in sources if not source.startswith(("#", "data:"))] == [LINK]
    assert ("a", {"href": LINK}) in reader.elements
    assert all(address.startswith("#") for address in re.findall(r"url\(([^)]*)\)", built.page))
    assert not {"script", "iframe", "object"} & {tag for tag, _ in reader.elements}
    assert len(built.page.encode()) <= LARGEST


def test_every_link_inside_the_page_has_its_target_and_no_id_comes_twice(reader):
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = {attributes["href"] for tag, attributes in reader.elements if tag in ("a", "use")}
    assert {link.removeprefix("#") for link in links - {LINK}} <= set(ids)
    assert set(SECTIONS) - {ASIDE, "arms", "codes"} <= set(ids)  # which a comparison need not have


def test_every_figure_has_words_for_those_who_cannot_see_it(reader):
    pictures = [attributes for _, attributes in reader.elements if attributes.get("role") == "img"]
    assert len(pictures) == [tag for tag, _ in reader.elements].count("svg") > 6
    assert all(len(attributes["aria-label"]) > 30 for attributes in pictures)
    sounds = [attributes for tag, attributes in reader.elements if tag == "audio"]
    assert [sound["aria-label"] for sound in sounds] == [
        "real, angry",
        "real, sad",
        "federated, angry",
        "federated, sad",
    ]


def test_headings_come_in_order(reader):
    levels = [int(tag[1]) for tag, _ in reader.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_figures_lie_beside_the_page_as_png_and_as_svg(built):
    figures = {path.name: path.read_bytes() for path in (built.folder / "figures").iterdir()}
    single = {"scores", "pairs", "spectrograms", "paired", "neighbours", "training-recognizer"}
    drawn = single | {f"confusion-{mode}" for mode in ("real", "federated", "floor")}
    assert figures.keys() == {f"{name}.{kind}" for name in drawn for kind in ("png", "svg")}
    for name in drawn:
        assert figures[f"{name}.png"].startswith(b"\x89PNG")
        assert ElementTree.fromstring(figures[f"{name}.svg"]).tag.endswith("svg")  # noqa: S314 - our own
        assert b"var(--" not in figures[f"{name}.svg"]


def test_every_table_lies_beside_the_page_with_its_values_and_notes_apart(built):
    tables = {path.name for path in (built.folder / "tables").iterdir()}
    assert {"results.csv", "folds.csv", "pairs.csv", "quality.csv", "failures.csv"} <= tables
    real, federated, *_ = csv.DictReader((built.folder / "tables" / "results.csv").open(encoding="utf-8"))
    assert (real["trained on"], real["macro F1 (95 %)"]) == ("real", "0.848")
    assert federated["macro F1 (95 %): notes"].startswith("0.706 to 0.784 | ± 0.023 folds")


def test_no_letter_of_a_figure_is_smaller_than_ten_pixels_on_a_phone(built):
    narrow = re.findall(r'<div role="img" class="for-narrow".*?</svg>', built.page, re.DOTALL)
    assert len(narrow) == 6
    for figure in narrow:
        (width,) = re.findall(r'viewBox="0 0 ([\d.]+) ', figure)
        sizes = [float(size) for size in re.findall(r"font(?:-size)?: (?:[a-z]+ )*([\d.]+)px", figure)]
        assert sizes
        assert min(sizes) * 350 / float(width) >= 10


def test_what_a_reader_came_for_stands_first_and_the_rest_is_folded(reader, built):
    assert "real − federated" in reader.words["answer"]
    assert "real is better than federated, beyond the luck" in reader.words["answer"]
    assert built.page.index('class="scores"') < built.page.index('id="results"')
    for section in ("pairs", "ablations", "training", "cost"):
        assert re.search(rf'<section id="{section}"><h2>[^<]*</h2>\s*<details>', built.page)
    assert "<details open" not in built.page


def test_every_figure_has_a_sentence_that_says_how_to_read_it(built):
    figures = re.findall(r'<figure class="(\w+)">(.*?)</figure>', built.page, re.DOTALL)
    assert {name for name, content in figures if "ead " not in content.partition("<figcaption>")[2]} == {"confusion"}
    assert re.search(r'id="confusions"><h2>[^<]*</h2>\s*<p>Read it so', built.page)


def test_the_papers_scores_stand_beside_the_papers_synthesizer_alone(results, run_of, reader, blank_figures):
    settings = results["settings"] | {"methods": results["settings"]["methods"] | {"synthesizer": "gaussian"}}
    page = read(write_report(run_of(results | {"settings": settings})).read_text())
    for number in ("57.27 ± 0.99", "IEMOCAP"):
        assert number in reader.words["results"]
        assert number not in page.words["results"]


def test_a_section_that_has_nothing_to_say_is_neither_there_nor_linked(results, run_of, blank_figures):
    bare = results | {"paired": [], "ablations": [], "failures": [], "quality": {}, "seconds": {}}
    page = read(write_report(run_of(bare)).read_text())
    there = {attributes["id"] for tag, attributes in page.elements if tag == "section"}
    assert there == {"results", "confusions", "environment"}
    linked = [attributes["href"] for tag, attributes in page.elements if tag == "a"]
    assert {link.removeprefix("#") for link in linked if link.startswith("#")} == there | {"answer", "citation"}


def test_missing_evidence_is_told_and_is_not_fatal(results, run_of, blank_figures):
    run = run_of(results)
    (run / "figures").mkdir()
    (run / "figures" / "of-another-time.png").touch()
    words = read(write_report(run).read_text()).words
    assert "evidence/index.json is not there" in words["answer"]
    assert not {"spectrograms", "leaving"} & words.keys()
    assert "Spectrograms and sounds" not in (run / "report.html").read_text()
    assert not (run / "figures" / "of-another-time.png").exists()


def test_the_stand_in_is_called_one_and_real_speech_is_not(results, run_of, reader, blank_figures):
    claim = "No scientific claim is made"
    assert claim not in reader.words["answer"]
    assert claim in read(write_report(run_of(results | {"corpus": "builtin"})).read_text()).words["answer"]


def test_results_of_another_version_are_refused_in_one_line(results, run_of):
    with pytest.raises(UserError, match=rf"^results of schema 99, not {SCHEMA}: [^\n]*$"):
        write_report(run_of(results | {"schema": 99}))


def test_a_report_too_large_to_send_is_refused(results, run_of, monkeypatch, blank_figures):
    monkeypatch.setattr(page_module, "LARGEST", 1000)
    with pytest.raises(UserError, match="more than 1,000"):
        write_report(run_of(results))
