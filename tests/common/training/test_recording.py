"""A recorded step: what it may not remember, when it is recorded anew, and that it computes what the plain one does."""

from dataclasses import replace

import pytest
import torch

from common.config.tree import Config
from common.networks.acceleration import Acceleration
from common.networks.generator import release_weights
from common.recognizers.methods import cnn
from common.spaces import PATCHES
from common.training import distillation
from common.training.distillation import DISTILLATION
from common.training.distributed import Share
from common.training.draws import Dealer, normal
from common.training.recording import WARM_UP, Recorder
from common.training.stages import Pair
from common.weights import Form


class Played:
    """A tape for machines without a GPU: to play it back is to do the work again, on the draw that lies still."""

    def __init__(self):
        self.recorded = self.played = 0

    def __call__(self, work):
        self.recorded += 1
        numbers = work()  # a real tape would not do it, but say where its numbers will lie

        def play():
            self.played += 1
            numbers.copy_(work())

        return play, numbers


@pytest.fixture
def draws(bands):
    dealer = Dealer(bands, "stage", 0, 2, {"latents": normal(8)}, Share(), torch.device("cpu"))
    return [dealer.draw(step) for step in range(WARM_UP + 4)]


def brightness(draw):
    return {"mean": draw["values"].mean(), "first": draw["latents"][0, 0]}


def test_playing_back_shows_the_work_each_new_draw(draws):
    tape, plain = Played(), Recorder(None)
    recorded = Recorder(tape)
    told = [recorded.do("same", brightness, draw) for draw in draws]
    assert told == [plain.do("same", brightness, draw) for draw in draws]
    assert len({float(numbers["mean"]) for numbers in told}) == len(draws)
    assert (tape.recorded, tape.played) == (1, 4)


def test_numbers_that_were_told_are_not_overwritten_by_the_next_step(draws):
    recorded = Recorder(Played())
    *_, before, last = [recorded.do("same", brightness, draw) for draw in draws]
    assert before["first"] == draws[-2]["latents"][0, 0]
    assert last["first"] == draws[-1]["latents"][0, 0]


def test_other_work_is_recorded_anew(draws):
    tape = Played()
    recorded = Recorder(tape)
    for key in ("slow", "fast"):
        for draw in draws:
            recorded.do(key, brightness, draw)
    assert (tape.recorded, tape.played) == (2, 8)


def test_a_draw_is_never_changed(draws):
    recorded = Recorder(Played())
    before = [draw["values"].clone() for draw in draws]
    for draw in draws:
        recorded.do("same", brightness, draw)
    assert all(torch.equal(draw["values"], patches) for draw, patches in zip(draws, before, strict=True))


def longer(config: Config, iterations: int) -> Config:
    tree = config.model_dump()
    pretraining = tree["pretraining"]
    for section in (pretraining["autoencoder"], pretraining["adversarial"], tree["finetuning"], tree["recognizer"]):
        section["iterations"] = iterations
    tree["finetuning"] |= {"instance_noise": 0.5, "likeness": ("loudness", "colour", "rhythm", "coupling", "ripple")}
    tree["recognizer"] |= {"decay_every": iterations // 2, "augmentation": ("gain", "tilt")}
    return Config.model_validate(tree)


STAGES = "autoencoder", "adversarial", "finetuning", DISTILLATION, "recognizer"


@pytest.fixture
def train(fresh, stages, monkeypatch):
    def of_stage(stage, config, bands, around):
        if stage == "recognizer":
            settings = cnn.RECOGNIZER.settings_of(config)
            return cnn.train(bands, settings, PATCHES, config.corpus.classes, 0, around)
        if stage == DISTILLATION:
            monkeypatch.setattr(distillation, "STEPS", config.finetuning.iterations)
            one, other = (release_weights(Pair.fresh(config.network, 4, seed).generator) for seed in (0, 1))
            return distillation.distilled(one, other, Form(2), config.network, 0, around)
        return stages[stage](fresh(config), bands, config, 0, around)

    return of_stage


def losses(train, stage, config, bands, around, heard, *, recorded):
    acceleration = replace(around.acceleration, recorded=recorded)
    listening = replace(around, acceleration=acceleration, reporter=heard, report_every=1, snapshot_every=100)
    train(stage, config, bands, listening)
    return [metrics for _, _, metrics in heard.records]


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("stage", STAGES)
def test_a_recorded_stage_has_the_losses_of_a_plain_one(stage, precision, config, bands, around, listener, train):
    runtime = config.runtime.model_copy(update={"device": "cuda", "precision": precision})
    on_gpu = replace(around, acceleration=Acceleration.of(runtime))
    chosen = longer(config, 2 * (WARM_UP + 3))
    plain, recorded = (
        losses(train, stage, chosen, bands, on_gpu, listener(), recorded=recorded) for recorded in (False, True)
    )
    assert len(plain) == len(recorded) == chosen.recognizer.iterations
    for one, other in zip(plain, recorded, strict=True):
        assert other == pytest.approx(one, rel=0.02, abs=1e-3)


@pytest.mark.gpu
@pytest.mark.parametrize("stage", STAGES)
def test_a_gpu_has_the_losses_of_a_processor(stage, config, bands, around, listener, monkeypatch, train):
    chosen = longer(config, 6)
    on_cpu = losses(train, stage, chosen, bands, around, listener(), recorded=False)
    runtime = config.runtime.model_copy(update={"device": "cuda"})
    on_gpu = replace(around, acceleration=Acceleration.of(runtime))
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    for one, other in zip(on_cpu, losses(train, stage, chosen, bands, on_gpu, listener(), recorded=True), strict=True):
        assert other == pytest.approx(one, rel=0.01, abs=1e-3)
