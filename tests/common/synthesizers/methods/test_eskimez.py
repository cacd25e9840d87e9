"""The paper's tuning: what it descends and hands on; a released generator, asked for emotions or for none."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from common.networks import Generator
from common.synthesizers.methods import eskimez
from common.synthesizers.methods.eskimez import ConditionalSampler
from common.training.checkpoint import Snapshots
from common.training.likeness import STATISTICS, energy_distance
from common.training.phases import Interrupted


@pytest.fixture
def sampler(release, tune):
    return ConditionalSampler(release.released, tune.tuning.own.network, 4)


@pytest.fixture
def latents(tune):
    return torch.randn(3, tune.tuning.own.network.noise, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def ask(release, tune):
    generator = Generator(tune.tuning.own.network, normalized=False)
    generator.load_state_dict(release.released)

    @torch.no_grad()
    def forward(latents, condition):
        return generator(latents, condition)

    return forward


def test_the_condition_of_an_emotion_that_is_not_there_stays_as_it_began(config, fresh, bands, around):
    settings = eskimez.SYNTHESIZER.settings_of(config)
    tuning = settings.finetuning.model_copy(update={"even_start": True})
    settings = settings.model_copy(update={"finetuning": tuning})
    there = replace(bands, held=(0, 2))
    tuned = eskimez.finetune(fresh(config), there, settings, 0, around, known=(0, 2)).generator
    by_class = tuned.linears[0].weight[:, config.network.noise :].abs().sum(dim=0)
    assert (by_class > 0).tolist() == [True, False, True, False]
    everything = eskimez.finetune(fresh(config), there, settings, 0, around).generator
    assert everything.linears[0].weight[:, config.network.noise + 1].any()


def test_a_class_is_a_one_hot_condition(sampler, latents, ask):
    wanted = torch.tensor([0, 3, 1])
    torch.testing.assert_close(sampler.decode(latents, wanted), ask(latents, functional.one_hot(wanted, 4).float()))


def test_class_minus_one_is_the_zero_condition_of_pre_training(sampler, latents, ask):
    torch.testing.assert_close(sampler.decode(latents, torch.full((3,), -1)), ask(latents, torch.zeros(3, 4)))


@pytest.mark.parametrize("wanted", [-2, 4])
def test_a_class_that_is_none_is_refused(wanted, sampler, latents):
    with pytest.raises(RuntimeError):
        sampler.decode(latents, torch.full((3,), wanted))


def test_a_latent_scale_widens_the_latents_and_nothing_else(sampler, tune):
    wanted, stream = torch.tensor([0, 1]), torch.Generator()
    latents = torch.randn(2, tune.tuning.own.network.noise, generator=stream.manual_seed(5))
    drawn = sampler.sample(wanted, stream.manual_seed(5), latent_scale=1.5)
    assert torch.equal(drawn, sampler.decode(1.5 * latents, wanted))


@pytest.fixture
def tuned(bands, around, fresh, stages):
    """A function that tunes fresh networks; a change is one of what stands around the tuning."""

    def tune(config, **changes):
        return stages["finetuning"](fresh(config), bands, config, 0, replace(around, **changes))

    return tune


def weights(pair):
    return {f"{name}.{key}": value for name, one in pair.named().items() for key, value in one.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_a_generator_that_is_held_to_the_likeness_of_speech_comes_nearer_to_it(config, bands, tuned):
    section = {"iterations": 14, "batch": 8, "generator_learning_rate": 3e-3, "average": 0.0}
    free = config.model_copy(update={"finetuning": config.finetuning.model_copy(update=section)})
    likeness = {"likeness": tuple(STATISTICS)}
    held = free.model_copy(update={"finetuning": free.finetuning.model_copy(update=likeness)})
    real, wanted = bands.batch(0, 64, "held out"), torch.arange(64) % 4

    def apart(chosen):
        generator = tuned(chosen).generator
        latents = torch.randn(64, chosen.network.noise, generator=torch.Generator().manual_seed(0))
        with torch.no_grad():
            made = generator(latents, functional.one_hot(wanted, 4).float())
        return energy_distance(real.values, real.labels, made, wanted, STATISTICS)

    assert apart(held) < apart(free) - 0.05


def test_an_even_start_leaves_the_condition_no_weights_by_chance(config, tuned):
    chosen = config.model_copy(update={"finetuning": config.finetuning.model_copy(update={"even_start": True})})
    even, uneven = (weights(tuned(c)) for c in (chosen, config))
    moved = "generator.linears.0.weight"
    columns = slice(config.network.noise, None)
    assert even[moved][:, columns].abs().mean() < uneven[moved][:, columns].abs().mean()


def noisy(config, level, iterations=4):
    section = {"instance_noise": level, "iterations": iterations}
    return config.model_copy(update={"finetuning": config.finetuning.model_copy(update=section)})


@pytest.mark.slow
def test_a_discriminator_in_noise_tells_less_apart(config, tuned, listener):
    losses = []
    for level in (0.0, 2.0, 4.0):
        heard, chosen = listener(), noisy(config, level, iterations=20)
        tuned(chosen, reporter=heard, report_every=10)
        losses.append(heard.records[-1][2]["discriminator/loss"])
    assert losses == sorted(losses)
    assert losses[2] > losses[0] + 0.2


def test_a_generator_in_noise_is_resumed_as_if_it_had_never_stopped(config, tuned, tmp_path):
    chosen = noisy(config, 0.5)
    whole = weights(tuned(chosen))
    kept = Snapshots(tmp_path, chosen.identity(), chosen.corpus.emotions, {"low": -16.0, "high": 4.0})
    asked = iter(range(1, 10))
    with pytest.raises(Interrupted, match="after step 2 of finetuning"):
        tuned(chosen, snapshots=kept, stop=lambda: next(asked) == 2)
    # Networks of another seed: everything that counts must come from the snapshot.
    assert same(whole, weights(tuned(chosen.model_copy(update={"seed": 5}), snapshots=kept)))
    assert not same(whole, weights(tuned(noisy(config, 0.0))))
