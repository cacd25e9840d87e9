"""Every recognizer of the registry keeps the same promises, in every space that it claims."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch

from common.errors import UserError
from common.recognizers import RECOGNIZERS, recognizer
from common.seeds import torch_stream
from common.settings import EMOTIONS
from common.spaces import PATCHES, Patches
from common.training.checkpoint import Snapshots
from common.training.phases import Interrupted

CLASSES = len(EMOTIONS)
CASES = [
    pytest.param(one, kind, id=f"{one.name}-{kind.__name__.lower()}")
    for one in RECOGNIZERS
    for kind in sorted(one.spaces, key=lambda kind: kind.__name__)
]
in_every_space = pytest.mark.parametrize(("one", "kind"), CASES)
every = pytest.mark.parametrize("one", list(RECOGNIZERS), ids=lambda one: one.name)


@pytest.fixture
def train(config, source_of, space_of, around):
    def trained(one, kind, seed=1, **changes):
        settings = one.settings_of(config)
        return one.train(source_of[kind], settings, space_of[kind], CLASSES, seed, replace(around, **changes))

    return trained


@pytest.fixture
def takes_steps(config, space_of):
    return lambda one, kind: one.cost(one.settings_of(config), space_of[kind], CLASSES).steps > 0


@pytest.fixture
def predictor_of(config, space_of, around):
    def opened(one, kind, weights):
        return one.predictor(weights, one.settings_of(config), space_of[kind], CLASSES, around.acceleration)

    return opened


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def utterances(space):
    """Some of it, whole: for patches, spectrograms of several lengths."""
    stream = torch_stream("utterances")
    if isinstance(space, Patches):
        return [torch.rand(128, frames, generator=stream) * 2 - 1 for frames in (60, 128, 300)]
    return [torch.randn(space.shape, generator=stream) for _ in range(3)]


@in_every_space
def test_its_weights_are_what_it_says_and_all_of_them_are_finite(one, kind, config, train, space_of):
    weights = train(one, kind)
    shapes = one.shapes(one.settings_of(config), space_of[kind], CLASSES)
    assert {name: tuple(value.shape) for name, value in weights.items()} == dict(shapes)
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in weights.values())
    assert not any(value.requires_grad for value in weights.values())


@in_every_space
def test_the_same_seed_trains_the_same_and_another_seed_another_where_there_are_steps(one, kind, train, takes_steps):
    first = train(one, kind)
    assert same(first, train(one, kind))
    if takes_steps(one, kind):
        assert not same(first, train(one, kind, seed=2))


@in_every_space
def test_examples_have_a_number_for_each_class(one, kind, train, predictor_of, source_of):
    predictor = predictor_of(one, kind, train(one, kind))
    examples = source_of[kind].batch(0, 6, "held out").values
    told = predictor.examples(examples)
    assert told.shape == (6, CLASSES)
    assert told.isfinite().all()
    torch.testing.assert_close(predictor.examples(examples[2:4]), told[2:4], atol=1e-5, rtol=1e-4)


@in_every_space
def test_utterances_have_probabilities_and_none_hangs_on_its_neighbours(one, kind, train, predictor_of, space_of):
    predictor, whole = predictor_of(one, kind, train(one, kind)), utterances(space_of[kind])
    told = predictor.utterances(iter(whole))
    assert told.shape == (len(whole), CLASSES)
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-9)
    assert (told >= 0).all()
    np.testing.assert_allclose(predictor.utterances(whole[1:2]), told[1:2], atol=1e-6)


@in_every_space
def test_a_trial_ends_soon_after_it_is_asked_to(one, kind, train, predictor_of, space_of):
    predictor = predictor_of(one, kind, train(one, kind))
    with pytest.raises(Interrupted):
        predictor.utterances(utterances(space_of[kind]), lambda: True)


@in_every_space
def test_weights_survive_half_precision(one, kind, train, predictor_of, source_of):
    weights = train(one, kind)
    halved = {name: value.half().float() for name, value in weights.items()}
    examples = source_of[kind].batch(0, 6, "held out").values
    full, half = (predictor_of(one, kind, each).examples(examples) for each in (weights, halved))
    torch.testing.assert_close(half, full, atol=0.05, rtol=0.05)


@in_every_space
def test_a_cut_training_goes_on_to_the_same_weights(one, kind, train, takes_steps, tmp_path):
    if not takes_steps(one, kind):
        pytest.skip("it is done in one piece")
    whole, asked = train(one, kind), iter(range(100))
    kept = Snapshots(tmp_path, {}, EMOTIONS, {})
    with pytest.raises(Interrupted):
        train(one, kind, snapshots=kept, stop=lambda: next(asked) == 2)
    assert same(whole, train(one, kind, snapshots=kept))


@in_every_space
def test_a_training_leaves_the_global_stream_as_it_was(one, kind, train):
    torch.manual_seed(3)
    untouched = torch.rand(1)
    torch.manual_seed(3)
    train(one, kind)
    assert torch.equal(torch.rand(1), untouched)


@in_every_space
def test_speech_without_labels_is_refused(one, kind, config, unlabelled_of, space_of, around):
    with pytest.raises(UserError, match="needs labelled speech"):
        one.train(unlabelled_of[kind], one.settings_of(config), space_of[kind], CLASSES, 0, around)


@in_every_space
def test_it_costs_something(one, kind, config, space_of):
    cost = one.cost(one.settings_of(config), space_of[kind], CLASSES)
    assert cost.steps >= 0
    assert cost.bytes > 0


@every
def test_settings_survive_being_written_and_read(one, config):
    settings = one.settings_of(config)
    assert one.Settings.model_validate_json(settings.model_dump_json()) == settings


@every
def test_it_travels_between_processes_by_name(one):
    content = pickle.dumps(one)
    assert pickle.loads(content) is one  # noqa: S301 - it was made a line above
    assert len(content) < 200


@every
def test_it_is_described_in_a_whole_sentence(one):
    assert one.about.endswith(".")


def test_an_unknown_one_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"no such recognizer: ears; there are cnn, dnn"):
        recognizer("ears")


def test_patches_are_a_space_that_some_recognizer_reads():
    assert any(type(PATCHES) in one.spaces for one in RECOGNIZERS)
