"""Every synthesizer of the registry keeps the same promises, in every space that it claims."""

import pickle
from dataclasses import replace

import pytest
import torch

from client.recipes import recipe_of
from common.errors import UserError
from common.seeds import torch_stream
from common.settings import EMOTIONS
from common.spaces import PATCHES, Patches
from common.synthesizers import SYNTHESIZERS, synthesizer

CPU, CLASSES = torch.device("cpu"), len(EMOTIONS)
CASES = [
    pytest.param(one, kind, id=f"{one.name}-{kind.__name__.lower()}")
    for one in SYNTHESIZERS
    for kind in sorted(one.spaces, key=lambda kind: kind.__name__)
]
in_every_space = pytest.mark.parametrize(("one", "kind"), CASES)
every = pytest.mark.parametrize("one", list(SYNTHESIZERS), ids=lambda one: one.name)


@pytest.fixture
def fit(config, fitting_of):
    def fitted(one, kind, seed=1):
        settings = one.settings_of(config)
        return one.fit(fitting_of(one, settings, kind, seed), settings)

    return fitted


@pytest.fixture
def sampler_of(config, fit, space_of):
    def opened(one, kind, lower=lambda value: value):
        weights = {name: lower(value) for name, value in fit(one, kind).items()}
        return one.sampler(weights, one.settings_of(config), space_of[kind], CLASSES, CPU)

    return opened


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@in_every_space
def test_what_is_released_is_what_it_says_and_all_of_it_is_finite(one, kind, config, fit, space_of):
    weights = fit(one, kind)
    shapes = one.shapes(one.settings_of(config), space_of[kind], CLASSES)
    assert {name: tuple(value.shape) for name, value in weights.items()} == dict(shapes)
    assert all(value.dtype == torch.float32 and value.isfinite().all() for value in weights.values())
    assert not any(value.requires_grad for value in weights.values())


@in_every_space
def test_a_fit_without_two_emotions_goes_on_with_the_others(one, kind, config, fitting_of, source_of, space_of):
    settings, held = one.settings_of(config), (True, False, True, False)
    there = replace(source_of[kind], held=(0, 2))
    fitting = replace(fitting_of(one, settings, kind), examples=lambda balanced: there, held=held)
    assert fitting.known == (0, 2)
    weights = one.fit(fitting, settings)
    assert {name: tuple(value.shape) for name, value in weights.items()} == dict(
        one.shapes(settings, space_of[kind], CLASSES)
    )
    assert all(value.isfinite().all() for value in weights.values())
    sampler = one.sampler(weights, settings, space_of[kind], CLASSES, CPU)
    assert sampler.sample(torch.arange(CLASSES), torch_stream("a")).isfinite().all()


@in_every_space
def test_the_same_seed_fits_the_same_and_another_seed_fits_another_where_it_trains(one, kind, config, fit, space_of):
    first, again, other = fit(one, kind), fit(one, kind), fit(one, kind, seed=2)
    assert same(first, again)
    trains = one.cost(one.settings_of(config), space_of[kind], CLASSES).steps > 0
    assert same(first, other) != trains


@in_every_space
def test_the_base_stays_as_it_was(one, kind, config, fitting_of):
    settings = one.settings_of(config)
    fitting = fitting_of(one, settings, kind)
    before = {name: value.clone() for name, value in fitting.base.items()}
    weights = one.fit(fitting, settings)
    for value in weights.values():
        value.fill_(7)  # nothing that is released is the base's own memory
    assert same(before, dict(fitting.base))


@in_every_space
def test_what_is_released_can_be_sampled_in_half_precision(one, kind, sampler_of, space_of):
    examples = sampler_of(one, kind, torch.Tensor.half).sample(torch.arange(CLASSES).repeat(2), torch_stream("a"))
    assert examples.shape == (2 * CLASSES, *space_of[kind].shape)
    assert examples.dtype == torch.float32
    assert examples.device == CPU
    assert examples.isfinite().all()
    if kind is Patches:
        assert examples.abs().max() <= 1


@in_every_space
def test_the_same_stream_gives_the_same_examples_and_another_gives_others(one, kind, sampler_of):
    sampler, wanted = sampler_of(one, kind), torch.tensor([0, 1, 2])
    assert torch.equal(sampler.sample(wanted, torch_stream("a")), sampler.sample(wanted, torch_stream("a")))
    assert not torch.equal(sampler.sample(wanted, torch_stream("a")), sampler.sample(wanted, torch_stream("b")))


@in_every_space
def test_the_stream_is_spent_alike_whatever_is_wanted(one, kind, sampler_of):
    sampler, streams = sampler_of(one, kind), [torch_stream("a") for _ in range(CLASSES)]
    for emotion, stream in enumerate(streams):
        sampler.sample(torch.full((3,), emotion), stream)
    afterwards = [torch.randn(4, generator=stream) for stream in streams]
    assert all(torch.equal(afterwards[0], one) for one in afterwards[1:])
    assert not torch.equal(afterwards[0], torch.randn(4, generator=torch_stream("a")))


@in_every_space
def test_a_fit_leaves_the_global_stream_as_it_was(one, kind, fit):
    torch.manual_seed(3)
    untouched = torch.rand(1)
    torch.manual_seed(3)
    fit(one, kind)
    assert torch.equal(torch.rand(1), untouched)


@in_every_space
def test_it_costs_something_where_it_trains_and_what_it_costs_grows_with_the_steps(one, kind, config, space_of):
    settings = one.settings_of(config)
    cost = one.cost(settings, space_of[kind], CLASSES)
    if not one.stages:
        assert cost.steps == 0
        return
    assert cost.steps > 0
    assert cost.bytes > 0
    assert one.cost(more_steps(one, config), space_of[kind], CLASSES).steps > cost.steps


@in_every_space
def test_its_stages_are_those_that_a_fit_plays(one, kind, config, fitting_of, around, listener):
    heard, settings = listener(), one.settings_of(config)
    one.fit(replace(fitting_of(one, settings, kind), around=replace(around, reporter=heard)), settings)
    assert tuple(stage for stage, _, _ in heard.began) == one.stages


def other_number(section):
    """The first number of a section, another one."""
    numbers = section.model_dump()
    name = next(name for name, value in numbers.items() if isinstance(value, int | float))
    return {name: numbers[name] + 1 if isinstance(numbers[name], int) else numbers[name] / 2}


@every
def test_every_other_setting_of_its_own_is_another_recipe_and_nobody_elses_is(one, config):
    chosen = config.model_copy(update={"methods": config.methods.model_copy(update={"synthesizer": one.name})})
    digest = recipe_of(chosen).digest
    turned = {
        "network": {"leak": 0.3},
        "optimizer": {"beta1": 0.6},
        "finetuning": {"iterations": 9},
        "chatziagapi": {"iterations": 9},
        "recognizer": {"iterations": 9},
        "sampling": {"per_emotion": 9},
        "pretraining": {"corpus": "another"},
    }
    brought = {name: field.annotation() for name, field in one.Settings.model_fields.items() if name not in turned}
    turned |= {name: other_number(section) for name, section in brought.items()}
    for section, change in turned.items():
        usual = getattr(chosen, section, brought.get(section))
        other = chosen.model_copy(update={section: usual.model_copy(update=change)})
        assert (recipe_of(other).digest != digest) == (section in one.Settings.model_fields)
    assert recipe_of(chosen.model_copy(update={"seed": 3})).digest == digest


@every
def test_settings_survive_being_written_and_read(one, config):
    settings = one.settings_of(config)
    assert one.Settings.model_validate_json(settings.model_dump_json()) == settings


@every
def test_a_probe_of_a_base_tells_numbers_and_the_same_ones_each_time(one, config, fitting_of):
    settings = one.settings_of(config)
    base = fitting_of(one, settings, next(iter(one.spaces))).base
    measured = one.probe(base, settings, CLASSES)
    assert measured == one.probe(base, settings, CLASSES)
    assert all(isinstance(value, float) for value in measured.values())


@every
def test_it_travels_between_processes_by_name(one):
    content = pickle.dumps(one)
    assert pickle.loads(content) is one  # noqa: S301 - it was made a line above
    assert len(content) < 200


@every
def test_it_is_described_in_whole_sentences(one):
    assert one.about.endswith(".")
    assert one.paper
    assert one.released
    assert one.title


def more_steps(one, config):
    """Its settings with each budget raised by one step."""
    tree = one.settings_of(config).model_dump()
    for section in tree.values():
        for name in section:
            if name.endswith("iterations"):
                section[name] += 1
    return one.Settings.model_validate(tree)


def test_an_unknown_one_is_named_with_those_there_are():
    with pytest.raises(UserError, match=r"no such synthesizer: diffusion; there are adan, .*eskimez, floor"):
        synthesizer("diffusion")


def test_patches_are_a_space_that_some_synthesizer_takes():
    assert any(type(PATCHES) in one.spaces for one in SYNTHESIZERS)
