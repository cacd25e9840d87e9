"""Rows with settings of their own, sums over sites, and what an attack on a release finds."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from torch.nn.functional import cosine_similarity

from common.audit import reconstruction
from common.audit.verdict import Limits
from common.config import load_config
from common.corpora import labelled_corpus
from common.corpora.builtin import generate
from common.errors import UserError, UserErrors
from common.release import ReleaseConfig
from common.spaces import Vectors
from common.training import distillation
from common.training.checkpoint import read_tensors
from common.training.distillation import DISTILLATION
from simulations.comparison import auditing, fitting, units
from simulations.comparison.modes import MODES, SPOKEN, choose_modes, mode_of, modes_of
from simulations.comparison.schema import read_results
from simulations.comparison.setting import Setting
from simulations.comparison.store import METRICS, RELEASE
from simulations.comparison.table import privacy_of
from simulations.comparison.units import EVERYBODY, units_for
from simulations.report.evidence import Evidence
from simulations.report.leaving import leaving_table

ROWS = (
    ("at epsilon 50", "gaussian federated", "gaussian.epsilon=50.0"),
    ("summed at epsilon 50", "gaussian summed", "gaussian.epsilon=50.0"),
)
NAMES = ("real", "gaussian federated", *(row[0] for row in ROWS), "gaussian summed", "federated averaging 1 round")
PUBLIC = Vectors(set="functionals", size=1715, scale="public")


def with_rows(config, *rows, **more):
    compare = config.compare.model_copy(update={"rows": rows, **more})
    return config.model_copy(update={"compare": compare})


@pytest.fixture(scope="module")
def private(config, tmp_path_factory):
    """The preset on a small corpus of five sessions, eight of whose sixteen utterances have coins."""
    folder = tmp_path_factory.mktemp("speech")
    manifest = generate(folder, utterances_per_cell=2)
    rows = [f"{one.path},{one.emotion},{one.session},{one.speaker}" for one in manifest.utterances]
    (folder / "recordings.csv").write_text("\n".join(["path,emotion,session,speaker", *rows]))
    preset = load_config("privacy")
    taken = {name: getattr(preset, name) for name in ("methods", "vectors", "compare")}
    runtime = config.runtime.model_copy(update={"corpus_root": str(folder)})
    sampling = config.sampling.model_copy(update={"per_emotion": 40})
    own = config.model_copy(update={**taken, "runtime": runtime, "sampling": sampling})
    return with_rows(own, *ROWS, modes=NAMES)


@pytest.fixture(scope="module")
def private_run(comparing, private, tmp_path_factory):
    run = tmp_path_factory.mktemp("run") / "private"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(auditing, "LIMITS", Limits(twins=4, samples=256))
        sessions = ("Session1", "Session2")
        comparing(run, settings=private, base=None, seeds=1, folds=sessions, units=run.parent / "units")
    return run


@pytest.fixture(scope="module")
def compared(private_run):
    return read_results(private_run)


def test_rows_of_one_synthesizer_have_ledgers_of_their_own_named_by_the_rows(private_run):
    ledgers = Evidence.read(private_run, []).ledgers
    rows = {"gaussian, federated", "at epsilon 50"}
    assert {(one.session, one.rows) for one in ledgers} == {(f"Session{n}", row) for n in range(1, 6) for row in rows}
    sent = {entry.sha256 for one in ledgers for entry in one.entries if entry.kind == "release"}
    assert len(sent) == len(ledgers) == 10
    heading = [cell.value for cell in leaving_table(ledgers).headings]
    assert heading[:2] == ["client", "for the rows"]
    assert len(leaving_table(ledgers[:1]).headings) == len(heading) - 1, "one row has no need of its name"


def test_a_configurations_rows_stand_after_the_modes_and_are_compared_where_none_is_named(compared):
    assert not compared.failures
    assert set(compared.modes) == {SPOKEN.get(name, name) for name in NAMES}
    assert all(row.macro_f1 is not None for row in compared.modes.values())
    assert not compared.quality


def test_a_row_has_the_promise_of_its_own_settings(compared):
    promised = {name: row.epsilon for name, row in compared.modes.items()}
    assert promised["at epsilon 50"] == promised["summed at epsilon 50"] == 50
    assert promised["gaussian, federated"] is promised["gaussian, summed"] is promised["real"] is None


def test_each_release_is_attacked_a_sites_at_that_site_and_a_sum_as_a_whole(compared):
    attacks = {name: row.attack for name, row in compared.modes.items()}
    assert attacks.pop("real") is None
    assert {name: one.audits for name, one in attacks.items()} == {
        "gaussian, federated": 5,
        "at epsilon 50": 5,
        "gaussian, summed": 1,
        "summed at epsilon 50": 1,
        "federated averaging, 1 round": 1,
    }
    assert all(one.twins == 4 and one.utterances == 80 for one in attacks.values())
    assert all(one.low <= one.auc <= one.high for one in attacks.values())
    assert all(sum(one.verdicts.values()) == one.audits for name, one in attacks.items() if "averaging" not in name)
    assert attacks["gaussian, federated"].verdicts.keys() <= {"refuse", "cannot-tell"}, "two speakers are too few"
    assert attacks["gaussian, federated"].auc > 0.7, "without noise, a few utterances a site are told"


def test_a_sum_takes_less_of_a_site_than_a_network_does_and_more_than_its_numbers(compared):
    taken = {name: row.bytes for name, row in compared.modes.items()}
    assert 8 * 68 < taken["gaussian, summed"] < taken["federated averaging, 1 round"]
    assert compared.modes["gaussian, summed"].releases == 1


def test_the_screen_tells_attack_promise_and_bytes(compared):
    console = Console(width=150, record=True, file=io.StringIO())
    console.print(privacy_of(compared))
    told = console.export_text()
    assert "at epsilon 50" in told
    assert "real" not in told
    assert privacy_of(replace(compared, modes={"real": compared.modes["real"]})) is None


def test_a_row_without_settings_is_its_mode_under_another_name(private):
    config = with_rows(private, ("mine", "gaussian federated"))
    mode = mode_of("mine", config)
    assert (mode.synthesizer, mode.where) == ("gaussian", "clients")
    assert mode.of(config) is config
    assert list(modes_of(config)) == [*MODES, "mine"]


def test_two_rows_of_the_same_settings_tune_once_and_others_do_not(private):
    config = with_rows(private, ("one", "gaussian federated"), ("two", "gaussian federated"), ROWS[0], modes=())
    setting = Setting(config, labelled_corpus(config.corpus, config.runtime), None)
    folds = list(setting.folds.values())[:1]
    for names, sessions in ((["one", "two"], 4), (["one", "two", "at epsilon 50"], 8)):
        units = units_for(setting, choose_modes(names, setting.space, config), folds, [0])
        assert sum(unit.kind == "tune" for unit in units) == sessions
        assert {unit.place for unit in units if unit.kind == "audit"} == set(setting.manifest.sessions)
    units = units_for(setting, choose_modes(["gaussian summed"], setting.space, config), folds, [0])
    assert [unit.place for unit in units if unit.kind == "audit"] == [EVERYBODY]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("real", "gaussian federated"), "its name is taken"),
        (("mine", "imagined"), "there is no mode imagined"),
        (("mine", "gaussian, federated"), "spelled without a comma"),
    ],
)
def test_a_row_that_cannot_be_is_named(private, row, words):
    with pytest.raises(UserError, match=words):
        choose_modes(["real"], PUBLIC, with_rows(private, row))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("vectors.normalisation=session", "the row mine changes vectors"),
        ("gaussian.delta=0", "the row mine: 1 mistake"),
        ("gaussian.rang=4", "no such setting"),
        ("gaussian", "write it as section.key=value"),
    ],
)
def test_settings_that_a_row_cannot_have_are_refused(private, setting, words):
    config = with_rows(private, ("mine", "gaussian federated", setting))
    with pytest.raises((UserError, UserErrors), match=words):
        mode_of("mine", config).of(config)


def test_rows_of_one_name_or_without_a_mode_are_mistakes_of_the_configuration():
    for rows in ('[["a", "real"], ["a", "floor"]]', '[["a"]]'):
        with pytest.raises(UserErrors, match=r"rows of the same name: a|a name and a mode"):
            load_config("privacy", [f"compare.rows={rows}"])


def test_rows_define_no_result():
    one, other = load_config("privacy"), load_config("privacy", ["compare.rows=[]"])
    assert one.identity() == other.identity()


def test_sites_add_up_numbers_of_one_meaning_alone():
    assert "gaussian, summed" in {mode.name for mode in choose_modes([], PUBLIC)}
    own = PUBLIC.model_copy(update={"scale": "session"})
    assert "gaussian, summed" not in {mode.name for mode in choose_modes([], own)}


def test_a_row_that_makes_releases_smaller_cuts_those_of_the_row_before_and_tunes_nothing(
    comparing, config, counting, tmp_path
):
    small = ("in 8 bits", "federated", "release.rank=2", "release.eight_bit=true")
    settings = with_rows(config, small, modes=("federated", "in 8 bits"), quality=False)
    before = comparing(tmp_path, modes=["federated"], folds=["Session1"], settings=settings, units=tmp_path / "units")
    tuned = [line for line in counting if line.startswith("tune")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "Keeper", None)  # nobody is asked to tune
        results = comparing(tmp_path, modes=None, folds=["Session1"], settings=settings, units=tmp_path / "units")
    assert [line for line in counting if line.startswith("tune")] == 2 * tuned
    whole, cut = results["modes"]["federated"], results["modes"]["in 8 bits"]
    assert whole == before["modes"]["federated"]
    assert 0 < cut["bytes"] < whole["bytes"] / 4
    by_place = released(tmp_path / "units")
    assert set(by_place) == {"Session2", "Session3"}
    for one, other in by_place.values():
        assert one.keys() == other.keys()
        assert all(cosine_similarity(one[name].flatten(), other[name].flatten(), dim=0) > 0.5 for name in one)
        assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_a_distilled_row_is_made_of_the_same_tunings_as_a_cut_one(comparing, config, tmp_path, monkeypatch):
    monkeypatch.setattr(distillation, "STEPS", 6)
    cut = ("cut", "federated", "release.rank=2")
    distilled = ("distilled", "federated", "release.rank=2", "release.distilled=true")
    settings = with_rows(config, cut, distilled, modes=("federated", "cut", "distilled"), quality=False)
    told = {"folds": ["Session1"], "settings": settings, "units": tmp_path / "units"}
    comparing(tmp_path, modes=["federated"], **told)
    monkeypatch.setattr(fitting, "Keeper", None)  # nobody is asked to tune
    results = comparing(tmp_path, modes=None, **told)
    assert not results["failures"]
    assert results["modes"]["distilled"]["bytes"] == results["modes"]["cut"]["bytes"]
    curves = [path.read_text() for path in (tmp_path / "units" / "tune").glob(f"*/{METRICS}")]
    assert len([curve for curve in curves if DISTILLATION in curve]) == 2  # one a session, of the row that asks for it


def test_a_setting_that_is_off_renames_no_unit():
    assert "distilled" not in ReleaseConfig(rank=2, distilled=False).model_dump(mode="json")


def released(units):
    """The weights of all releases of tunings, by session."""
    found = {}
    for card in (units / "tune").glob("*/card.json"):
        place = json.loads(card.read_text())["identity"]["place"]
        weights, _ = read_tensors(card.parent / RELEASE)
        found.setdefault(place, []).append({name: weight.float() for name, weight in weights.items()})
    return found


@pytest.mark.slow
def test_generators_are_audited_in_each_form_by_twins_that_are_fitted_once(
    comparing, config, private, tmp_path, monkeypatch
):
    heading, *lines = (Path(private.runtime.corpus_root) / "recordings.csv").read_text().splitlines()
    own = [line for line in lines if "Session1" in line or "Session2" in line]
    table = Path(private.runtime.corpus_root) / "two.csv"
    table.write_text("\n".join([heading, *own]))
    config = config.model_copy(update={"runtime": config.runtime.model_copy(update={"corpus_root": str(table)})})
    for module in (auditing, units):
        monkeypatch.setattr(module, "LIMITS", Limits(twins=4, samples=256, utterances=8))
    monkeypatch.setattr(reconstruction, "STEPS", 2)
    row = ("small", "federated", "release.rank=2", "release.eight_bit=true")
    settings = with_rows(config, row, modes=("federated", "small"), quality=False, audited=True)
    found = comparing(tmp_path, modes=None, settings=settings, units=tmp_path / "units")
    assert [one["reason"] for one in found["failures"]] == []
    sessions = 2
    twins = [json.loads(path.read_text())["unit"] for path in (tmp_path / "units" / "twin").glob("*/card.json")]
    assert len(twins) == 4 * sessions, "the small row has none of its own"
    attacks = [found["modes"][name]["attack"] for name in ("federated", "small")]
    for one in attacks:
        assert set(one["by_score"]) == {"density", "reconstruction"}
        assert one["auc"] >= max(one["by_score"].values()) - 1e-9
        assert sum(one["verdicts"].values()) == one["audits"] == sessions
    assert attacks[0]["by_score"] != attacks[1]["by_score"], "each is told by what it would release"
