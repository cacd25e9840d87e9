"""A package of one's own adds a synthesizer, a recognizer, a protocol and a corpus, a file each, and names no other.

Everything here runs with the package installed by the commands of CONTRIBUTING.md, in processes of their own.
"""

import json
from pathlib import Path

import pytest

from client.keeper import Keeper
from client.simulated import SITES, simulated_site
from common.wire import Code, Limits, Refusal, Stage, decode

CLI = ("-m", "simulations.cli")
MODES = ("real", "templates", "templates, federated")


NAMES = {"synthesizers": "templates", "recognizers": "nearest", "protocols": "halves"}
ONE_BY_ONE = """
import sys
from contextlib import suppress
from simulations.cli import main
for command in sys.argv[1:]:
    with suppress(SystemExit):
        main([command, "--json"])
"""
"""Several commands in one process: to load PyTorch takes longer than all that they do."""


def test_each_method_is_listed_among_its_kind(eyesoff):
    told, listed, decoder = eyesoff("-c", ONE_BY_ONE, *NAMES).stdout, {}, json.JSONDecoder()
    while told := told.strip():
        one, end = decoder.raw_decode(told)
        listed |= {kind: rows for kind, rows in one.items() if kind in NAMES}
        assert one["broken"] == []
        told = told[end:]
    for kind, name in NAMES.items():
        assert name in {row["name"] for row in listed[kind]}


@pytest.fixture(scope="module")
def compared(eyesoff, settings, base, tmp_path_factory):
    """What a comparison with all of it printed, and its run."""
    run = tmp_path_factory.mktemp("run") / "run"
    spoken = ",".join(mode.replace(",", "") for mode in MODES)
    # Samples are measured and drawn alike whoever made them; figures of them take longer than all else together.
    unmeasured = ("--set", "compare.quality=false")
    chosen = ("--config", settings, "--base", base, "--modes", spoken, "--seeds", "1", "--workers", "0", *unmeasured)
    return eyesoff(*CLI, "compare", *chosen, "--run", run), run


class TestComparison:
    """All of the example in one run."""

    def test_each_mode_is_priced_before_it_begins(self, compared):
        done, _ = compared
        plan = done.stderr.splitlines()[0]
        assert "units: tune 3 (3 new), fit 2 (2 new), train 6 (6 new), score 6 (6 new)" in plan
        assert "about " in done.stderr.splitlines()[1]

    def test_all_sites_release_and_every_mode_is_scored_in_the_protocols_folds(self, compared):
        _, run = compared
        results = json.loads((run / "results.json").read_text())
        assert results["failures"] == results["quarantined"] == []
        assert list(results["modes"]) == list(MODES)
        assert [fold["name"] for fold in results["folds"]] == ["odd", "even"]
        assert all(mode["complete"] and mode["macro_f1"]["n"] == 24 for mode in results["modes"].values())

    def test_its_settings_are_those_of_the_file(self, compared):
        _, run = compared
        units = [json.loads(card.read_text())["identity"] for card in run.glob("units/*/*/card.json")]
        fits = [one["settings"]["synthesizer"] for one in units if one["kind"] in ("fit", "tune")]
        assert fits == [{"templates": {"batches": 2, "noise": 0.25}}] * 5
        trained = [one["settings"]["recognizer"] for one in units if one["kind"] == "train"]
        assert trained == [{"nearest": {"batches": 2}}] * 6

    def test_it_stands_in_the_table_and_in_the_report(self, compared):
        done, run = compared
        page = next(run.glob("*.html")).read_text()
        assert all(mode in done.stdout and mode in page for mode in MODES)


@pytest.fixture(scope="module")
def asked(eyesoff, settings, base, tmp_path_factory):
    """What keepers with the example say to an order for its synthesizer; the folder has the order and their site."""
    folder = tmp_path_factory.mktemp("asked")
    answers = eyesoff(Path(__file__).parent / "asking.py", settings, base, folder)
    return json.loads(answers.stdout), folder


def _of_a_table(corpus, folder):
    """The first site's speech by a layout that this process has."""
    rows = [(path.name, *path.stem.split("-")) for path in corpus.glob("*.wav")]
    lines = [f"{path},{emotion},{session},{speaker}" for path, session, speaker, emotion, _ in rows]
    (corpus / "recordings.csv").write_text("\n".join(["path,emotion,session,speaker", *sorted(lines)]))
    file = min((folder / SITES).glob("*/site.toml"))
    file.write_text(file.read_text().replace('corpus = "pairs"', 'corpus = "table"'))


class TestKeepers:
    """A site runs what its own installation and its own policy name."""

    def test_one_that_accepts_the_recipe_releases_what_the_shapes_tell(self, asked):
        assert asked[0]["accepting"] == ["release", None, ["templates"]]

    def test_one_whose_policy_does_not_accept_it_refuses(self, asked):
        assert asked[0]["default"][:2] == ["refusal", Code.RECIPE_FORBIDDEN]

    def test_one_that_lacks_it_refuses_under_the_very_policy_that_accepts_it(self, asked, corpus):
        _, folder = asked
        _of_a_table(corpus, folder)
        keeper = Keeper(simulated_site(folder / SITES, 0))
        told = decode(keeper.answer((folder / "order.bin").read_bytes()), Refusal, Limits(2**16))
        assert (told.code, told.stage) == (Code.UNKNOWN_METHOD, Stage.ADMIT)


def test_its_corpus_is_described(eyesoff, corpus):
    told = eyesoff(*CLI, "corpus", "describe", "pairs", "--root", corpus, "--json").stdout
    assert json.loads(told)["sessions"]


def test_without_it_nothing_of_it_is_there(settings):
    """A control: this process lacks the package."""
    from common.config import load_config
    from common.errors import UserErrors
    from common.synthesizers import SYNTHESIZERS

    assert "templates" not in SYNTHESIZERS
    with pytest.raises(UserErrors, match="templates: no such setting"):
        load_config(settings)
