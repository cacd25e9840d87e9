"""The game: who moves when, what is reported, and how a run ends."""

from dataclasses import replace

import pytest
import torch

from common.errors import UserError
from common.recognizers.methods import cnn
from common.settings import OptimizerConfig
from common.spaces import PATCHES
from common.training.adam import Adam
from common.training.checkpoint import Snapshots, read_tensors
from common.training.phases import Game, Phase, Surroundings, play
from common.training.stages import Pair


class Spoiled:
    """A source whose patches are not finite from one step on."""

    def __init__(self, source, first):
        self.source, self.first = source, first

    def batch(self, step, size, stream):
        batch = self.source.batch(step, size, stream)
        if step >= self.first:
            batch.values.fill_(torch.nan)
        return batch


def test_metrics_are_means_since_the_last_report(config, bands, around, listener, fresh, stages):
    every, pairs = listener(), listener()
    for heard, interval in ((every, 1), (pairs, 2)):
        listening = replace(around, reporter=heard, report_every=interval, snapshot_every=100)
        stages["autoencoder"](fresh(config), bands, config, 0, listening)
    losses = [metrics["autoencoder/loss"] for _, _, metrics in every.records]
    assert [step for _, step, _ in pairs.records] == [2, 4]
    assert pairs.records[0][2]["autoencoder/loss"] == pytest.approx(sum(losses[:2]) / 2)
    assert every.began == [("autoencoder", 0, 4)]


def test_a_picture_of_the_same_patches_comes_with_each_snapshot(config, bands, around, listener, fresh, stages):
    heard = listener()
    stages["autoencoder"](fresh(config), bands, config, 0, replace(around, reporter=heard))
    assert heard.pictures == [("autoencoder", step, (16, 1, 128, 128), 8) for step in (2, 4)]


def test_a_generator_is_asked_once_a_step_and_a_standing_network_gets_no_gradient(
    config, bands, around, monkeypatch, fresh, stages
):
    forwards, gradients = [], []
    original = Pair.for_stage

    def watched(self, *arguments):
        pair = original(self, *arguments)
        pair.generator.register_forward_hook(lambda *_: forwards.append(1))
        pair.discriminator.hidden.weight.register_hook(lambda _: gradients.append(1))
        return pair

    monkeypatch.setattr(Pair, "for_stage", watched)
    stages["adversarial"](fresh(config), bands, config, 0, replace(around, snapshot_every=100))
    pictures = 1
    assert len(forwards) - pictures <= 4
    assert len(gradients) == 4


def test_a_loss_that_is_not_finite_ends_the_run_with_the_last_good_snapshot_kept(
    config, bands, around, tmp_path, fresh, stages
):
    kept = Snapshots(tmp_path, config.identity(), config.corpus.emotions, {"low": 0.0, "high": 1.0})
    careful = replace(around, snapshots=kept)
    with pytest.raises(UserError) as caught:
        stages["autoencoder"](fresh(config), Spoiled(bands, 2), config, 0, careful)
    line = str(caught.value)
    assert "\n" not in line
    assert "step 3 of autoencoder" in line
    assert "00000002" in line
    assert "learning rates" in line
    tensors, card = read_tensors(kept.stored("autoencoder")[-1])
    assert card["step"] == 2
    assert all(torch.isfinite(value).all() for value in tensors.values())


def test_surroundings_do_not_change_a_result(config, bands, around, listener, fresh, stages):
    plain = Surroundings(around.acceleration)
    busy = replace(plain, reporter=listener(), report_every=1, snapshot_every=1)
    first, second = (stages["adversarial"](fresh(config), bands, config, 0, a) for a in (plain, busy))
    for name, value in first.generator.state_dict().items():
        assert torch.equal(value, second.generator.state_dict()[name])


def test_speech_without_labels_is_refused_where_emotions_are_learned(config, bands, around, fresh, stages):
    settings, unlabelled = cnn.RECOGNIZER.settings_of(config), type(bands)(labelled=False)
    with pytest.raises(UserError, match="finetuning needs labelled speech"):
        stages["finetuning"](fresh(config), unlabelled, config, 0, around)
    with pytest.raises(UserError, match="recognizer needs labelled speech"):
        cnn.train(unlabelled, settings, PATCHES, config.corpus.classes, 0, around)


def test_a_phase_moves_in_the_first_of_so_many_steps_and_a_network_may_have_a_turn_in_two(around, listener):
    network, seen, heard = torch.nn.Linear(2, 1), [], listener()

    def phase(name, every):
        def loss(draw, made):
            seen.append((name, network.weight.requires_grad))
            return {"loss": network(draw["values"]).square().mean()}

        return Phase(name, Adam(network.parameters(), 1e-2, OptimizerConfig()), loss, every=every)

    game = Game(
        "both",
        {"network": network},
        draw=lambda step: {"values": torch.ones(3, 2)},
        make=lambda draw: draw["values"],
        phases=[phase("always", 1), phase("seldom", 3)],
    )
    play(game, 4, replace(around, reporter=heard, report_every=1))
    assert seen == [(name, True) for name in ("always", "seldom", "always", "always", "always", "seldom")]
    assert [sorted(metrics) for _, _, metrics in heard.records] == [
        ["always/loss", "seldom/loss"],
        ["always/loss"],
        ["always/loss"],
        ["always/loss", "seldom/loss"],
    ]
