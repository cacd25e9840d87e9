"""The graph of units: what needs what, and which setting makes which unit another."""

from dataclasses import replace

import pytest
import torch

from common.config import Config
from common.config.loading import load_config
from common.settings import Section
from common.spaces import PATCHES
from common.synthesizers import SYNTHESIZERS, synthesizer
from common.training.reporters import Reporter
from simulations.comparison import modes
from simulations.comparison.ablations import Ablation
from simulations.comparison.job import Job
from simulations.comparison.modes import choose_modes
from simulations.comparison.recognizing import sources_of
from simulations.comparison.setting import prepare
from simulations.comparison.store import Store
from simulations.comparison.units import units_for


@pytest.fixture(scope="module")
def setting(config, weights):
    return prepare(config, weights, lambda done, total: None)


@pytest.fixture
def units_of(setting):
    """A function from modes, seeds and changed settings to the units."""

    def make(modes, seeds=1, **changes):
        sections = {name: getattr(setting.config, name).model_copy(update=changed) for name, changed in changes.items()}
        other = replace(setting, config=setting.config.model_copy(update=sections))
        return units_for(other, choose_modes(modes), tuple(other.folds.values()), range(seeds))

    return make


def keys(units, *kinds):
    return {unit.key for unit in units if not kinds or unit.kind in kinds}


def test_every_unit_comes_once_and_after_what_it_needs(units_of):
    units = units_of([], seeds=2)
    assert len(keys(units)) == len(units)
    before = set()
    for unit in units:
        assert {need.key for need in unit.needs} <= before
        before.add(unit.key)


def test_a_client_is_tuned_once_a_seed_for_all_folds_that_pool_it(units_of):
    units = units_of(["federated"], seeds=2)
    assert sum(unit.kind == "tune" for unit in units) == 2 * 3
    trains = [unit for unit in units if unit.kind == "train"]
    assert {unit.place: {need.place for need in unit.needs} for unit in trains}["Session2"] == {"Session1", "Session3"}


def test_the_gan_of_all_sessions_serves_two_modes(units_of):
    units = units_of(["centralized", "real+synthetic"])
    assert sum(unit.kind == "fit" for unit in units) == 3


def test_a_mode_or_a_seed_more_leaves_all_others_as_they_are(units_of):
    few = keys(units_of(["federated"]))
    assert few < keys(units_of(["federated", "floor"]))
    assert few < keys(units_of(["federated"], seeds=2))


@pytest.mark.parametrize(
    ("changes", "same", "other"),
    [
        ({"recognizer": {"iterations": 3}}, ("tune", "fit"), ("train", "score")),
        ({"sampling": {"latent_scale": 1.3}}, ("tune", "fit"), ("train", "score")),
        ({"finetuning": {"iterations": 3}}, (), ("tune", "train")),
        ({"recognizer": {"bands": 32}}, ("tune", "fit"), ("train", "score")),
        ({"pretraining": {"corpus": "another"}}, ("tune", "fit", "train", "score", "quality"), ()),
        ({"campaign": {"attempts": 5}}, ("tune", "fit", "train", "score", "quality"), ()),
        ({"runtime": {"precision": "auto"}}, ("tune", "fit", "train", "score", "quality"), ()),
    ],
)
def test_a_setting_changes_the_units_that_hang_on_it(units_of, changes, same, other):
    before, after = units_of(["centralized", "federated"]), units_of(["centralized", "federated"], **changes)
    assert keys(before, *same) == keys(after, *same) if same else True
    for kind in other:
        assert not keys(before, kind) & keys(after, kind)


def test_the_baselines_settings_leave_the_papers_tunings_alone(units_of):
    before, after = units_of([]), units_of([], chatziagapi={"iterations": 9})
    changed = keys(after, "tune", "fit") - keys(before, "tune", "fit")
    assert {unit.subject for unit in after if unit.key in changed} == {"chatziagapi"}


class AnotherSection(Section):
    """What a later version may be able to set."""

    loudness: float = 0.5


class LaterConfig(Config):
    """With a section that nothing of today reads."""

    another: AnotherSection = AnotherSection()


@pytest.fixture
def another(monkeypatch):
    """A synthesizer more in the registry, with the rows of the table that it brings."""
    one = replace(synthesizer("chatziagapi"), name="another", row="")
    monkeypatch.setitem(SYNTHESIZERS.__dict__, "_found", (dict(SYNTHESIZERS.methods) | {one.name: one}, ()))
    monkeypatch.setattr(modes, "MODES", modes._modes())
    monkeypatch.setattr("simulations.comparison.units.MODES", modes.MODES)
    return one


def of_patches():
    return [name for name, mode in modes.MODES.items() if mode.is_of(PATCHES)]


def test_a_synthesizer_more_changes_no_key_of_the_others(units_of, request):
    before = units_of(of_patches())
    one = request.getfixturevalue("another")
    after = units_of(of_patches())
    added = {unit.subject for unit in after if unit.key not in keys(before)}
    assert keys(before) < keys(after)
    assert added == {one.name, f"{one.name}, federated"}


def test_a_section_more_changes_no_key(units_of, setting):
    later = LaterConfig.model_validate(setting.config.model_dump())
    wider = units_for(replace(setting, config=later), choose_modes([]), tuple(setting.folds.values()), range(1))
    assert later.another.loudness == 0.5
    assert keys(wider) == keys(units_of([]))


@pytest.mark.parametrize(
    ("section", "change", "same"),
    [
        ("recognizer", {"bands": 32}, True),
        ("sampling", {"latent_scale": 1.7}, True),
        ("pretraining", {"corpus": "another"}, True),
        ("chatziagapi", {"iterations": 9}, True),
        ("finetuning", {"iterations": 9}, False),
        ("network", {"leak": 0.3}, False),
        ("features", {"floor": 1e-6}, False),
        ("methods", {"synthesizer": "chatziagapi"}, False),
    ],
)
def test_a_campaign_is_named_by_what_a_tuning_reads(section, change, same):
    config = load_config("demo")
    turned = config.model_copy(update={section: getattr(config, section).model_copy(update=change)})
    assert (turned.campaign_name() == config.campaign_name()) == same


def test_a_synthesizer_or_a_section_more_leaves_a_campaign_its_name(request):
    config = load_config("demo")
    before = config.campaign_name()
    request.getfixturevalue("another")
    assert config.campaign_name() == before
    assert LaterConfig.model_validate(config.model_dump()).campaign_name() == before


@pytest.mark.parametrize(
    ("setting_", "value", "same"),
    [
        ("recognizer.bands", 32, True),
        ("recognizer.augmentation", ("tilt",), True),
        ("finetuning.condition_gain", 3.0, False),
    ],
)
def test_an_ablation_draws_the_samples_of_its_control_where_it_turns_no_setting_of_theirs(
    setting, tmp_path, setting_, value, same
):
    turned = Ablation(setting_, None, value)
    folds = [setting.folds["Session1"]]
    units = units_for(setting, choose_modes(["federated"]), folds, range(1), [turned])
    trains = {unit.ablation: unit for unit in units if unit.kind == "train"}
    assert trains[""].key != trains[turned.name].key
    control, other = (
        [
            (source.name, source.seed)
            for source in sources_of(
                Job(unit, setting, Store(tmp_path), Reporter(), lambda: False), torch.device("cpu")
            )
        ]
        for unit in (trains[""], trains[turned.name])
    )
    assert len(control) == 2
    assert (control == other) == same
    assert bool({seed for _, seed in control} & {seed for _, seed in other}) == same
