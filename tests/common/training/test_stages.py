"""The three stages: what each hands on, what it learns, and that it can be cut anywhere."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from common.config.tree import Config
from common.training.checkpoint import Snapshots
from common.training.likeness import SKETCHES, energy_distance
from common.training.phases import Interrupted
from common.training.stages import Pair, finetune, train_adversarial, train_autoencoder

STAGES = {"autoencoder": train_autoencoder, "adversarial": train_adversarial, "finetuning": finetune}


def weights(pair: Pair) -> dict[str, torch.Tensor]:
    named = pair.named()
    return {f"{name}.{key}": value.clone() for name in named for key, value in named[name].state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def snapshots(folder: Path, config: Config) -> Snapshots:
    return Snapshots(folder, config.identity(), config.network.emotions, {"low": -16.0, "high": 4.0})


@pytest.mark.parametrize(("stage", "outputs"), [("autoencoder", 8), ("adversarial", 1), ("finetuning", 5)])
def test_a_stage_exchanges_the_head_and_carries_everything_else_over(stage, outputs, config, bands, around):
    section = {stage: {"iterations": 0}}
    idle = Config.model_validate(config.model_dump() | ({"pretraining": section} if stage != "finetuning" else section))
    pair = Pair.fresh(config)
    result = STAGES[stage](pair, bands, idle, 0, around)
    before, after = weights(pair), weights(result)
    carried = [name for name in before if not name.startswith("discriminator.head.")]
    assert after["discriminator.head.bias"].shape == (outputs,)
    assert all(torch.equal(before[name], after[name]) for name in carried)


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_is_given_stays_as_it_was(stage, config, bands, around):
    pair = Pair.fresh(config)
    before = weights(pair)
    result = STAGES[stage](pair, bands, config, 0, around)
    assert same(before, weights(pair))
    assert not same(before, weights(result))


@pytest.mark.parametrize(
    ("stage", "penalty"), [("autoencoder", 0.0), ("adversarial", 0.0), ("finetuning", 0.0), ("finetuning", 1.0)]
)
def test_a_stage_in_bf16_has_nearly_the_losses_of_fp32_and_keeps_its_weights_in_it(
    stage, penalty, config, bands, around, listener
):
    tuned = Config.model_validate(config.model_dump() | {"finetuning": {"iterations": 2, "penalty": penalty}})
    told = []
    for bf16 in (False, True):
        heard = listener()
        lowered = replace(around, acceleration=replace(around.acceleration, bf16=bf16), reporter=heard)
        result = STAGES[stage](Pair.fresh(config), bands, tuned, 0, lowered)
        assert all(value.dtype == torch.float32 for value in weights(result).values())
        told.append({name: value for name, value in heard.records[0][2].items() if "loss" in name})
    assert told[0] != told[1]
    assert told[1] == pytest.approx(told[0], rel=0.05, abs=0.01)


@pytest.mark.parametrize("stage", STAGES)
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(stage, config, bands, around):
    first, again, other = (weights(STAGES[stage](Pair.fresh(config), bands, config, s, around)) for s in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)


def cut_and_resumed(stage: str, cut: int, config: Config, bands, around, folder: Path) -> Pair:
    asked = iter(range(1, 10))
    cut_short = replace(around, snapshots=snapshots(folder, config), stop=lambda: next(asked) == cut)
    with pytest.raises(Interrupted, match=f"after step {cut} of {stage}"):
        STAGES[stage](Pair.fresh(config), bands, config, 0, cut_short)
    resumed = replace(around, snapshots=snapshots(folder, config))
    # Fresh networks of another seed: everything that counts must come from the snapshot.
    other = Pair.fresh(config.model_copy(update={"seed": 5}))
    return STAGES[stage](other, bands, config, 0, resumed)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("cut", [1, 3])
def test_resuming_gives_the_weights_of_an_uninterrupted_run(stage, cut, config, bands, around, tmp_path):
    whole = weights(STAGES[stage](Pair.fresh(config), bands, config, 0, around))
    assert same(whole, weights(cut_and_resumed(stage, cut, config, bands, around, tmp_path)))


def test_a_finished_stage_is_restored_without_a_step(config, bands, around, tmp_path):
    kept = replace(around, snapshots=snapshots(tmp_path, config))
    done = weights(train_adversarial(Pair.fresh(config), bands, config, 0, kept))

    class Untouchable:
        def batch(self, step, size, stream):
            raise AssertionError("no batch is needed")

    assert same(done, weights(train_adversarial(Pair.fresh(config), Untouchable(), config, 0, kept)))


def test_the_autoencoder_learns_to_reconstruct(config, bands, around):
    section = {"autoencoder": {"iterations": 30, "batch": 4, "learning_rate": 2e-2}}
    longer = Config.model_validate(config.model_dump() | {"pretraining": section})
    trained = train_autoencoder(Pair.fresh(longer), bands, longer, 0, around)
    patches = bands.batch(0, 8, "held out").patches
    with torch.no_grad():
        code = trained.discriminator(patches)
        made = trained.generator(code, code.new_zeros(8, 4))
    grey = functional.l1_loss(torch.zeros_like(patches), patches)
    assert functional.l1_loss(made, patches) < grey / 2


def test_frozen_lower_layers_keep_their_weights_and_the_others_move(config, bands, around):
    frozen = config.model_copy(update={"finetuning": config.finetuning.model_copy(update={"frozen_layers": 3})})
    pair = Pair.fresh(frozen)
    before, after = weights(pair), weights(finetune(pair, bands, frozen, 0, around))
    for layer in range(8):
        name = f"discriminator.convolutions.{layer}.weight"
        assert torch.equal(before[name], after[name]) == (layer < 3)


def test_a_penalty_under_the_softmax_changes_the_discriminator(config, bands, around):
    pulled = config.model_copy(update={"finetuning": config.finetuning.model_copy(update={"penalty": 10.0})})
    without, with_it = (weights(finetune(Pair.fresh(c), bands, c, 0, around)) for c in (config, pulled))
    assert not torch.equal(without["discriminator.hidden.weight"], with_it["discriminator.hidden.weight"])


def test_a_generator_that_is_held_to_the_likeness_of_speech_comes_nearer_to_it(config, bands, around):
    section = {"iterations": 14, "batch": 8, "generator_learning_rate": 3e-3, "average": 0.0}
    free = config.model_copy(update={"finetuning": config.finetuning.model_copy(update=section)})
    likeness = {"likeness": tuple(SKETCHES), "likeness_weight": 3.0}
    held = free.model_copy(update={"finetuning": free.finetuning.model_copy(update=likeness)})
    real, wanted = bands.batch(0, 64, "held out"), torch.arange(64) % 4

    def apart(chosen):
        generator = finetune(Pair.fresh(chosen), bands, chosen, 0, around).generator
        latents = torch.randn(64, chosen.network.noise, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            made = generator(latents, functional.one_hot(wanted, 4).float())
        return energy_distance(real.patches, real.labels, made, wanted, SKETCHES)

    assert apart(held) < apart(free) - 0.05


def test_an_even_start_leaves_the_condition_no_weights_by_chance(config, bands, around):
    chosen = config.model_copy(update={"finetuning": config.finetuning.model_copy(update={"even_start": True})})
    even, uneven = (weights(finetune(Pair.fresh(c), bands, c, 0, around)) for c in (chosen, config))
    moved = "generator.linears.0.weight"
    columns = slice(config.network.noise, None)
    assert even[moved][:, columns].abs().mean() < uneven[moved][:, columns].abs().mean()


def noisy(config, level, iterations=4):
    section = {"instance_noise": level, "iterations": iterations}
    return config.model_copy(update={"finetuning": config.finetuning.model_copy(update=section)})


def test_a_discriminator_in_noise_tells_less_apart(config, bands, around, listener):
    losses = []
    for level in (0.0, 0.5, 4.0):
        heard, chosen = listener(), noisy(config, level, iterations=30)
        finetune(Pair.fresh(chosen), bands, chosen, 0, replace(around, reporter=heard, report_every=10))
        losses.append(heard.records[-1][2]["discriminator/loss"])
    assert losses == sorted(losses)
    assert losses[2] > losses[0] + 0.2


def test_a_generator_in_noise_is_resumed_as_if_it_had_never_stopped(config, bands, around, tmp_path):
    chosen = noisy(config, 0.5)
    whole = weights(finetune(Pair.fresh(chosen), bands, chosen, 0, around))
    assert same(whole, weights(cut_and_resumed("finetuning", 2, chosen, bands, around, tmp_path)))
    assert not same(whole, weights(finetune(Pair.fresh(config), bands, noisy(config, 0.0), 0, around)))


@pytest.mark.parametrize("stage", ["adversarial", "finetuning"])
def test_the_average_is_what_a_stage_hands_on(stage, config, bands, around):
    def without_average(section):
        return section.model_copy(update={"average": 0.0})

    pretraining = config.pretraining.model_copy(update={"adversarial": without_average(config.pretraining.adversarial)})
    live = config.model_copy(update={"pretraining": pretraining, "finetuning": without_average(config.finetuning)})
    averaged, current = (weights(STAGES[stage](Pair.fresh(c), bands, c, 0, around)) for c in (config, live))
    assert not torch.equal(averaged["generator.linears.0.weight"], current["generator.linears.0.weight"])
    assert torch.equal(averaged["discriminator.hidden.weight"], current["discriminator.hidden.weight"])
