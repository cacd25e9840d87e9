"""The three stages: what each hands on, what it learns, and that it can be cut anywhere."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from common.config.tree import Config
from common.training.checkpoint import Snapshots
from common.training.phases import Interrupted
from common.training.stages import Pair

STAGES = "autoencoder", "adversarial", "finetuning"


def weights(pair: Pair) -> dict[str, torch.Tensor]:
    named = pair.named()
    return {f"{name}.{key}": value.clone() for name in named for key, value in named[name].state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def snapshots(folder: Path, config: Config) -> Snapshots:
    return Snapshots(folder, config.identity(), config.corpus.emotions, {"low": -16.0, "high": 4.0})


@pytest.mark.parametrize(("stage", "outputs"), [("autoencoder", 8), ("adversarial", 1), ("finetuning", 5)])
def test_a_stage_exchanges_the_head_and_carries_everything_else_over(
    stage, outputs, config, bands, around, fresh, stages
):
    section = {stage: {"iterations": 0}}
    idle = Config.model_validate(config.model_dump() | ({"pretraining": section} if stage != "finetuning" else section))
    pair = fresh(config)
    result = stages[stage](pair, bands, idle, 0, around)
    before, after = weights(pair), weights(result)
    carried = [name for name in before if not name.startswith("discriminator.head.")]
    assert after["discriminator.head.bias"].shape == (outputs,)
    assert all(torch.equal(before[name], after[name]) for name in carried)


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_is_given_stays_as_it_was(stage, config, bands, around, fresh, stages):
    pair = fresh(config)
    before = weights(pair)
    result = stages[stage](pair, bands, config, 0, around)
    assert same(before, weights(pair))
    assert not same(before, weights(result))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_in_bf16_has_nearly_the_losses_of_fp32_and_keeps_its_weights_in_it(
    stage, config, bands, around, listener, fresh, stages
):
    tuned = Config.model_validate(config.model_dump() | {"finetuning": {"iterations": 2}})
    told = []
    for bf16 in (False, True):
        heard = listener()
        lowered = replace(around, acceleration=replace(around.acceleration, bf16=bf16), reporter=heard)
        result = stages[stage](fresh(config), bands, tuned, 0, lowered)
        assert all(value.dtype == torch.float32 for value in weights(result).values())
        told.append({name: value for name, value in heard.records[0][2].items() if "loss" in name})
    assert told[0] != told[1]
    assert told[1] == pytest.approx(told[0], rel=0.05, abs=0.01)


@pytest.mark.parametrize("stage", STAGES)
def test_the_same_seed_gives_the_same_weights_and_another_seed_others(stage, config, bands, around, fresh, stages):
    first, again, other = (weights(stages[stage](fresh(config), bands, config, s, around)) for s in (0, 0, 1))
    assert same(first, again)
    assert not same(first, other)


def cut_and_resumed(stage: str, cut: int, config: Config, bands, around, folder: Path, fresh, stages) -> Pair:
    asked = iter(range(1, 10))
    cut_short = replace(around, snapshots=snapshots(folder, config), stop=lambda: next(asked) == cut)
    with pytest.raises(Interrupted, match=f"after step {cut} of {stage}"):
        stages[stage](fresh(config), bands, config, 0, cut_short)
    resumed = replace(around, snapshots=snapshots(folder, config))
    # Fresh networks of another seed: everything that counts must come from the snapshot.
    other = fresh(config.model_copy(update={"seed": 5}))
    return stages[stage](other, bands, config, 0, resumed)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("cut", [1, 3])
def test_resuming_gives_the_weights_of_an_uninterrupted_run(stage, cut, config, bands, around, tmp_path, fresh, stages):
    whole = weights(stages[stage](fresh(config), bands, config, 0, around))
    assert same(whole, weights(cut_and_resumed(stage, cut, config, bands, around, tmp_path, fresh, stages)))


def test_a_finished_stage_is_restored_without_a_step(config, bands, around, tmp_path, fresh, stages):
    kept = replace(around, snapshots=snapshots(tmp_path, config))
    done = weights(stages["adversarial"](fresh(config), bands, config, 0, kept))

    class Untouchable:
        def batch(self, step, size, stream):
            raise AssertionError("no batch is needed")

    assert same(done, weights(stages["adversarial"](fresh(config), Untouchable(), config, 0, kept)))


def test_the_autoencoder_learns_to_reconstruct(config, bands, around, fresh, stages):
    section = {"autoencoder": {"iterations": 30, "batch": 4, "learning_rate": 2e-2}}
    longer = Config.model_validate(config.model_dump() | {"pretraining": section})
    trained = stages["autoencoder"](fresh(longer), bands, longer, 0, around)
    patches = bands.batch(0, 8, "held out").values
    with torch.no_grad():
        code = trained.discriminator(patches)
        made = trained.generator(code, code.new_zeros(8, 4))
    grey = functional.l1_loss(torch.zeros_like(patches), patches)
    assert functional.l1_loss(made, patches) < grey / 2


@pytest.mark.parametrize("stage", ["adversarial", "finetuning"])
def test_the_average_is_what_a_stage_hands_on(stage, config, bands, around, fresh, stages):
    def without_average(section):
        return section.model_copy(update={"average": 0.0})

    pretraining = config.pretraining.model_copy(update={"adversarial": without_average(config.pretraining.adversarial)})
    live = config.model_copy(update={"pretraining": pretraining, "finetuning": without_average(config.finetuning)})
    averaged, current = (weights(stages[stage](fresh(c), bands, c, 0, around)) for c in (config, live))
    assert not torch.equal(averaged["generator.linears.0.weight"], current["generator.linears.0.weight"])
    assert torch.equal(averaged["discriminator.hidden.weight"], current["discriminator.hidden.weight"])
