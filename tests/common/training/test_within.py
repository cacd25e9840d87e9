"""A generator that is tuned within a rank: what it may do, when it is brought back, and that nothing is forgotten."""

from dataclasses import replace

import pytest
import torch

from common.networks import Generator, release_weights
from common.seeds import torch_stream
from common.synthesizers.methods import eskimez
from common.training import within
from common.training.checkpoint import Snapshots
from common.training.phases import Interrupted
from common.training.within import Within
from common.weights import Form, cut, restored

RANK = 2
CLOSE = {"rtol": 0, "atol": 2e-6}


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(within, "EVERY", 2)


@pytest.fixture
def chosen(config):
    """Loud conditions, fast steps, and an end that is no multiple of the interval."""
    section = {"iterations": 7, "condition_gain": 12.0, "generator_learning_rate": 1e-2}
    return config.model_copy(update={"finetuning": config.finetuning.model_copy(update=section)})


@pytest.fixture
def tuned(bands, around, fresh):
    """A function that tunes fresh networks; a change is one of what stands around the tuning."""

    def tune(config, rank, **changes):
        settings = eskimez.SYNTHESIZER.settings_of(config)
        return eskimez.finetune(
            fresh(config), bands, settings, 0, replace(around, **changes), within=rank and Form(rank)
        )

    return tune


@pytest.fixture
def public(fresh, chosen):
    return eskimez.reference(fresh(chosen).learned(), chosen.network, chosen.corpus.classes)


def lost(weights, public, rank):
    """What a cut takes, weight by weight, at the most."""
    form, shapes = Form(rank), {name: tuple(value.shape) for name, value in weights.items()}
    back = restored(cut(weights, public, form, torch_stream(0)), public, form, shapes)
    return max(float((back[name] - value).abs().max()) for name, value in weights.items())


def state(pair):
    return {f"{name}.{key}": value for name, one in pair.named().items() for key, value in one.state_dict().items()}


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_cut_to_the_rank_takes_nothing_of_a_tuning_inside_it(chosen, tuned, public, average):
    chosen = chosen.model_copy(update={"finetuning": chosen.finetuning.model_copy(update={"average": average})})
    inside, free = (release_weights(tuned(chosen, rank).generator) for rank in (RANK, None))
    assert lost(inside, public, RANK) < CLOSE["atol"]
    assert lost(free, public, RANK) > 1e-3
    assert lost(inside, public, 1) > 1e-4  # the whole rank is used
    moved = inside["linears.0.weight"] - public["linears.0.weight"]
    assert torch.linalg.matrix_rank(moved, rtol=1e-4) == RANK


def test_biases_are_not_held(chosen, tuned, public):
    inside = release_weights(tuned(chosen, RANK).generator)
    assert all((inside[name] != public[name]).any() for name in public if name.endswith("bias"))


def test_every_few_steps_it_is_inside_and_between_them_free(chosen, tuned, public, monkeypatch):
    seen = []
    after = Within.after

    def look(self, step):
        after(self, step)
        seen.append(lost(release_weights(self._generator), public, RANK) < CLOSE["atol"])

    monkeypatch.setattr(Within, "after", look)
    tuned(chosen, RANK)
    assert seen == [False, True, False, True, False, True, False]


def test_all_directions_are_a_tuning_without_norms(chosen, tuned, public):
    most = min(chosen.network.noise + 4, public["linears.0.weight"].shape[0])
    whole = release_weights(tuned(chosen, most).generator)
    assert lost(whole, public, most) < CLOSE["atol"]
    assert lost(whole, public, RANK) > 1e-3


def test_kernels_may_have_directions_of_their_own(chosen, bands, around, fresh, public):
    settings = eskimez.SYNTHESIZER.settings_of(chosen)
    form = Form(1, kernel_rank=3)
    inside = release_weights(eskimez.finetune(fresh(chosen), bands, settings, 0, around, within=form).generator)
    ranks = {
        name: int(torch.linalg.matrix_rank((value - public[name]).flatten(1), rtol=1e-3))
        for name, value in inside.items()
        if name in ("linears.0.weight", "linears.1.weight", "convolutions.0.weight", "convolutions.1.weight")
    }
    assert {name[0]: rank for name, rank in ranks.items()} == {"l": 1, "c": 3}


def test_to_be_brought_back_twice_is_to_be_brought_back_once(config):
    generator = Generator(config.network)
    generator.gain = 12.0
    generator.forget_conditions()
    inside = Within(generator, Form(RANK))
    with torch.no_grad():
        for parameter in generator.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch_stream("moved")), alpha=0.01)
    inside.bring_back(generator)
    once = release_weights(generator)
    inside.bring_back(generator)
    for name, value in release_weights(generator).items():
        torch.testing.assert_close(value, once[name], **CLOSE)


@pytest.mark.parametrize("stopped", [2, 3])
def test_it_is_resumed_as_if_it_had_never_stopped(chosen, tuned, tmp_path, stopped):
    whole = state(tuned(chosen, RANK))
    kept = Snapshots(tmp_path, chosen.identity(), chosen.corpus.emotions, {"low": -16.0, "high": 4.0})
    asked = iter(range(1, 10))
    with pytest.raises(Interrupted, match=f"after step {stopped} of finetuning"):
        tuned(chosen, RANK, snapshots=kept, stop=lambda: next(asked) == stopped)
    assert same(whole, state(tuned(chosen, RANK, snapshots=kept)))
