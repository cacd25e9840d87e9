"""Settings turned the other way: which, to what, at what cost, and what is told of it."""

import pytest

from common.errors import UserError
from simulations.comparison import doing
from simulations.comparison.ablations import EVERY, SWITCHES, Ablation, choose_ablations

LATENTS, SEEN = "sampling.latent_scale", "recognizer.augmentation"


def changed(config, section, **settings):
    return config.model_copy(update={section: getattr(config, section).model_copy(update=settings)})


def test_a_setting_of_the_papers_is_turned_on_and_any_other_is_turned_off(config):
    (on,) = choose_ablations([LATENTS], changed(config, "sampling", latent_scale=1.0))
    assert (on.usual, on.other, on.name) == (1.0, 1.3, "sampling.latent_scale=1.3")
    (off,) = choose_ablations([LATENTS], changed(config, "sampling", latent_scale=1.7))
    assert (off.usual, off.other) == (1.7, 1.0)


def test_every_switch_is_a_setting_that_the_tree_takes_at_both_values(config):
    for one in choose_ablations([EVERY], config):
        section, _, key = one.setting.partition(".")
        turned = one.of(config)
        assert getattr(getattr(turned, section), key) == one.other != one.usual
        assert turned.identity() != config.identity()
        assert Ablation(one.setting, one.other, one.usual).of(turned) == config
    assert len(choose_ablations([EVERY], config)) == len(SWITCHES)


def test_an_unknown_setting_is_refused(config):
    with pytest.raises(UserError, match=r"no such setting to turn: network\.width"):
        choose_ablations(["network.width"], config)


def test_turned_settings_are_scored_beside_the_federated_mode_on_its_own_tunings(whole, comparing, counting, tmp_path):
    modes, settings = ["federated", "real"], ("finetuning.average", SEEN)
    results = comparing(tmp_path, modes=modes, ablate=settings)
    assert [(one["setting"], one["complete"]) for one in results["ablations"]] == [(name, True) for name in settings]
    kinds = [(line.split()[0], next(name for name in settings if name in line)) for line in counting]
    assert ("tune", SEEN) not in kinds
    assert kinds.count(("train", SEEN)) == kinds.count(("score", SEEN)) == 3
    assert kinds.count(("tune", "finetuning.average")) == 3
    for name in modes:
        assert results["modes"][name] == whole[0]["modes"][name]
    for one in results["ablations"]:
        told = results["modes"]["federated"]["macro_f1"]["mean"] + one["difference"]["difference"]
        assert one["macro_f1"]["mean"] == pytest.approx(told)
        assert one["difference"]["pairs"] == 3


def test_a_turned_setting_that_fails_is_told_by_its_row_and_leaves_the_mode_alone(comparing, monkeypatch, tmp_path):
    """In a folder of units of its own: what another comparison has kept there would not be computed, and not fail."""
    train = doing.WORK["train"]

    def fail_where_turned(job):
        if job.config.sampling.latent_scale == 1.3:
            raise UserError("no room")
        train(job)

    monkeypatch.setitem(doing.WORK, "train", fail_where_turned)
    results = comparing(tmp_path, modes=["federated"], ablate=[LATENTS], folds=["Session1"], units=tmp_path / "units")
    (one,) = results["ablations"]
    assert (one["macro_f1"], one["difference"], one["complete"]) == (None, None, False)
    rows = {row for failure in results["failures"] for row in failure["modes"]}
    assert rows == {"federated, sampling.latent_scale=1.3"}
    assert results["modes"]["federated"]["macro_f1"] is not None


def test_without_the_federated_mode_there_is_nothing_to_turn(comparing, tmp_path):
    with pytest.raises(UserError, match="ablations without the mode federated"):
        comparing(tmp_path, modes=["real"], ablate=[LATENTS])
