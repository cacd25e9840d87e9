"""A student of few directions: nearer to the whole generator than a cut, inside its form, resumed where it stopped."""

from dataclasses import replace

import pytest
import torch

from common.networks import release_weights
from common.seeds import torch_stream
from common.synthesizers.methods import eskimez
from common.training import distillation
from common.training.checkpoint import Snapshots
from common.training.distillation import LATENT_SCALE, distilled
from common.training.phases import Interrupted
from common.weights import Form, cut, restored

RANK = 2
FORM = Form(RANK)


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(distillation, "STEPS", 8)


@pytest.fixture
def public(fresh, config):
    return eskimez.reference(fresh(config).learned(), config.network, config.corpus.classes)


@pytest.fixture
def whole(public):
    """As if it had been tuned: far from the public one, in every direction, and under every condition."""
    stream = torch_stream("tuned")
    return {name: value + 0.3 * torch.randn(value.shape, generator=stream) for name, value in public.items()}


@pytest.fixture
def distil(whole, public, config, around):
    def run(seed=0, form=FORM, held=(), **changes):
        return distilled(whole, public, form, config.network, seed, replace(around, **changes), held)

    return run


def cut_to(form, weights, public):
    shapes = {name: tuple(value.shape) for name, value in weights.items()}
    return restored(cut(weights, public, form, torch_stream("rounding")), public, form, shapes)


def patches(weights, config):
    classes = config.corpus.classes
    sampler = eskimez.ConditionalSampler(weights, config.network, classes)
    return sampler.sample(torch.arange(64) % classes, torch_stream("other latents"), LATENT_SCALE)


def off(weights, whole, config):
    return float((patches(weights, config) - patches(whole, config)).square().mean())


def offs(weights, whole, config):
    """Emotion by emotion."""
    classes = config.corpus.classes
    far = (patches(weights, config) - patches(whole, config)).square()
    return [float(far[number::classes].mean()) for number in range(classes)]


def same(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_its_patches_are_nearer_to_the_whole_ones_than_those_of_a_cut(distil, whole, public, config, monkeypatch):
    monkeypatch.setattr(distillation, "STEPS", 30)
    form = Form(RANK, eight_bit=True)
    after, student = cut_to(form, whole, public), cut_to(form, distil(), public)
    assert off(student, whole, config) < 0.9 * off(after, whole, config)


def test_a_cut_takes_nothing_of_it_and_one_to_less_does(distil, public):
    student = distil()
    again, less = cut_to(Form(RANK), student, public), cut_to(Form(1), student, public)
    for name, value in student.items():
        torch.testing.assert_close(again[name], value, rtol=0, atol=2e-6)
    assert max(float((less[name] - value).abs().max()) for name, value in student.items()) > 1e-3


def test_biases_are_trained_too(distil, whole):
    student = distil()
    assert all((student[name] != whole[name]).any() for name in whole if name.endswith("bias"))


def test_what_it_is_given_stays_as_it_was(distil, whole, public):
    before = [{name: value.clone() for name, value in weights.items()} for weights in (whole, public)]
    distil()
    assert same(before[0], whole)
    assert same(before[1], public)


def test_the_same_seed_gives_the_same_student_and_another_seed_another(distil):
    once, again, other = distil(seed=1), distil(seed=1), distil(seed=2)
    assert same(once, again)
    assert not same(once, other)


def test_a_whole_generator_of_that_rank_is_its_own_student(public, config, around, whole):
    inside = cut_to(Form(RANK), whole, public)
    student = distilled(inside, public, Form(RANK), config.network, 0, around)
    for name, value in student.items():
        torch.testing.assert_close(value, inside[name], rtol=0, atol=2e-6)


class TestChoice:
    """Between what was trained and a cut: by what leaves, for each emotion that is held."""

    DEAD = 4

    @pytest.fixture
    def public(self, public):
        """Of which nobody sees the first hidden units."""
        public["linears.1.weight"][:, : self.DEAD] = 0
        return public

    @pytest.fixture
    def moved(self, public, config):
        """As `public`, with some conditions moved by so much: where it is seen, and in a unit where it is not."""

        def make(**conditions):
            weights = {name: value.clone() for name, value in public.items()}
            for name, (seen, hidden) in conditions.items():
                number = "abcd".index(name)
                column = weights["linears.0.weight"][:, config.network.noise + number]
                column[self.DEAD :] += seen * torch.randn(len(column) - self.DEAD, generator=torch_stream(name))
                column[number] += hidden
            return weights

        return make

    @pytest.fixture
    def trained_to(self, distil, public, whole, monkeypatch):
        """A distillation whose training ends at these weights, cut to the rank."""

        def run(weights, form=FORM, held=()):
            def play(game, steps, around):
                student = game.networks["student"]
                for name, kept in zip(student._names, student.kept, strict=True):
                    kept.data.copy_(cut(weights, public, Form(RANK), torch_stream("nothing"))[name])

            monkeypatch.setattr(distillation, "play", play)
            return distil(form=form, held=held)

        return run

    @pytest.fixture
    def whole(self, moved):
        """The largest changes, which a cut keeps, are those that are hardly seen."""
        return moved(a=(1, 0), b=(0.05, 40), c=(0.05, 40), d=(1, 0))

    def test_what_is_nearer_on_the_whole_and_farther_for_one_emotion_is_not_taken(
        self, trained_to, moved, whole, public, config
    ):
        student = moved(a=(1, 0), d=(1, 0))
        before, after = (offs(cut_to(Form(RANK), one, public), whole, config) for one in (whole, student))
        assert sum(after) < 0.5 * sum(before)
        assert after[1] > before[1]
        assert same(trained_to(student), whole)

    def test_an_emotion_that_is_not_held_has_no_say(self, trained_to, moved, whole):
        chosen = trained_to(moved(a=(1, 0), d=(1, 0)), held=(True, False, False, True))
        assert not same(chosen, whole)

    def test_what_is_nearer_until_it_is_rounded_is_not_taken(self, trained_to, moved, whole, public, config):
        form, student = Form(RANK, eight_bit=True), moved(a=(1, 4000), d=(1, 4000))
        exact, rounded = (offs(cut_to(one, student, public), whole, config) for one in (FORM, form))
        before = offs(cut_to(form, whole, public), whole, config)
        assert exact[0] < 0.5 * before[0] < before[0] < rounded[0]
        assert same(trained_to(student, form, held=(True, False, False, True)), whole)


def test_an_emotion_that_is_not_held_is_not_trained_for(distil, monkeypatch):
    shown = []

    def play(game, steps, around):
        shown.extend(game.draw(step)["condition"].sum(dim=0) for step in range(3))

    monkeypatch.setattr(distillation, "play", play)
    distil(held=(True, False, True, True))
    counts = torch.stack(shown).sum(dim=0)
    assert counts[1] == 0
    assert (counts[[0, 2, 3]] > 0).all()


@pytest.mark.parametrize("stopped", [1, 7])
def test_it_is_resumed_as_if_it_had_never_stopped(distil, config, tmp_path, stopped):
    kept = Snapshots(tmp_path, config.identity(), config.corpus.emotions, {"low": -16.0, "high": 4.0})
    asked = iter(range(1, 100))
    with pytest.raises(Interrupted, match=f"after step {stopped} of distillation"):
        distil(snapshots=kept, stop=lambda: next(asked) == stopped)
    assert same(distil(), distil(snapshots=kept))


def test_the_synthesizer_of_the_paper_distils_what_its_tuning_released(fresh, config, around, public, whole, distil):
    settings = eskimez.SYNTHESIZER.settings_of(config)
    asked = eskimez.Distilling(release_weights(fresh(config).generator), public, Form(RANK), 0, around)
    told = eskimez.SYNTHESIZER.shapes(settings, None, config.corpus.classes)
    shapes = {name: tuple(value.shape) for name, value in eskimez.SYNTHESIZER.distilled(asked, settings).items()}
    assert shapes == dict(told)
