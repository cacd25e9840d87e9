"""Public networks are found by what they are, never by who sent them, and hostile ones look unusual."""

import pytest
import torch

from client.bases import BASES, Base, Bases, probe, read_base, shipped_bases, unusual
from client.bounds import Bounds
from common.config.loading import load_config
from common.errors import UserError
from common.networks import Discriminator, Generator
from common.settings import EMOTIONS, NetworkConfig
from common.synthesizers.methods.eskimez import gradient_over_epsilon, pair_of
from common.training.checkpoint import CARD, TENSORS, read_tensors, save_tensors
from common.training.pretrained import SHIPPED, load_pretrained, shipped_weights
from common.training.stages import Pair
from common.wire import Extremes, base_digest, weights_digest

FLOOR = Bounds().gradient[0]


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request):
    """One of the networks that come with eyesoff, and their sizes."""
    return read_base(shipped_weights(request.param)), load_config(request.param).network


@pytest.fixture(scope="module")
def demo():
    return read_base(shipped_weights("demo"))


@pytest.fixture(scope="module")
def network():
    return load_config("demo").network


@pytest.fixture
def base(tune):
    return Base(tune.base, tune.tuning.scaling)


def with_one_loud_channel(name, value):
    """Of a layer's channels the first alone is heard; the last, which nobody reads, holds the norm."""
    match name:
        case "linears.1.weight":
            value = value.clone()
            value[-64:] = 30 * torch.randn(64, 1) @ torch.randn(1, value.shape[1])
        case "convolutions.0.weight":
            value = torch.cat((value[:, :1], value[:, 1:] * 1e-9), dim=1)
    return value


def with_weights(base, change):
    """A base whose every weight is what `change` makes of it, given its group, name and value."""
    return Base({name: change(*name.split(".", 1), value) for name, value in base.weights.items()}, base.scaling)


def pair(base, network):
    """The networks that a tuning would start from."""
    return pair_of(base.weights, network, len(EMOTIONS))


class TestReading:
    """From a folder as pre-training left it."""

    @pytest.mark.parametrize("preset", SHIPPED)
    def test_the_weights_are_those_that_a_server_starts_from(self, preset):
        base = read_base(shipped_weights(preset))
        config = load_config(preset)
        loaded = load_pretrained(shipped_weights(preset), config.network, config.features, config.corpus.classes)
        theirs = loaded.pair.learned()
        assert same(base.weights, theirs)
        assert base.digest == base_digest(weights_digest({"base": theirs}), base.scaling)
        assert (base.scaling.low, base.scaling.high) == (loaded.scaling.low, loaded.scaling.high)
        latents, conditions = torch.randn(4, config.network.noise), torch.eye(4)
        with torch.inference_mode():
            made, wanted = (one.generator(latents, conditions) for one in (pair(base, config.network), loaded.pair))
        torch.testing.assert_close(made, wanted, rtol=0, atol=1e-4)  # the norms are found anew, to six digits

    def test_vectors_of_norms_that_came_along_change_nothing(self, pretrained_folder):
        """Whoever wrote them could have any layer divided by whatever they like."""
        network = NetworkConfig(width=1 / 64)
        honest = read_base(pretrained_folder)
        tensors, card = read_tensors(pretrained_folder)
        norms = [name for name in tensors if name.endswith((".norm.u", ".norm.v"))]
        assert norms
        save_tensors(pretrained_folder, tensors | {name: torch.ones_like(tensors[name]) for name in norms}, card)
        forged = read_base(pretrained_folder)
        assert forged.digest == honest.digest
        for name, one in pair(forged, network).named().items():
            assert same(one.state_dict(), pair(honest, network).named()[name].state_dict())

    def test_another_scaling_makes_it_another_base(self, base):
        other = Base(base.weights, Extremes(low=base.scaling.low, high=base.scaling.high + 1))
        assert other.digest != base.digest

    @pytest.mark.parametrize(
        ("tensors", "card"),
        [
            ({}, {"scaling": {"low": -1.0, "high": 1.0}}),
            ({"generator/w": torch.ones(1), "discriminator/w": torch.ones(1)}, {}),
        ],
        ids=["nothing", "no scaling"],
    )
    def test_what_pre_training_did_not_write_is_named(self, tmp_path, tensors, card):
        save_tensors(tmp_path, tensors, card)
        with pytest.raises(UserError, match=f"not the networks of a pre-training: {tmp_path}"):
            read_base(tmp_path)

    @pytest.mark.parametrize(
        ("scaling", "told"),
        [
            ({"low": "deep", "high": 1.0}, "low"),
            ({"low": -1.0}, "high"),
            ({"low": -1.0, "high": 1.0, "middle": 0.0}, "middle"),
            ({"low": 1.0, "high": -1.0}, "low is not below high"),
            ({"low": -1e9, "high": 1.0}, "low"),
            ([-1.0, 1.0], "whole file"),
            ("loud", "whole file"),
        ],
        ids=str,
    )
    def test_a_scaling_that_makes_no_sense_is_told_in_a_line(self, tmp_path, scaling, told):
        save_tensors(tmp_path, {"generator/w": torch.ones(1)}, {"scaling": scaling})
        with pytest.raises(UserError, match=f"the networks' scaling is damaged: .*{told}") as caught:
            read_base(tmp_path)
        assert len(str(caught.value).splitlines()) == 1


class TestFinding:
    """What a site has, by its digest."""

    def test_the_shipped_ones_are_there_without_being_sent(self, tmp_path):
        bases = Bases(tmp_path)
        assert [folder.name for folder in shipped_bases().values()] == list(SHIPPED)
        for digest in shipped_bases():
            assert bases.has(digest)
            assert bases.find(digest).digest == digest
        assert list(tmp_path.iterdir()) == []

    def test_what_was_sent_is_there_from_then_on_bit_for_bit(self, tmp_path, base):
        assert not Bases(tmp_path).has(base.digest)
        Bases(tmp_path).keep(base)
        found = Bases(tmp_path).find(base.digest)
        assert Bases(tmp_path).has(base.digest)
        assert found.scaling == base.scaling
        assert same(found.weights, base.weights)

    def test_what_is_there_is_not_stored_again(self, tmp_path, base, demo):
        bases = Bases(tmp_path)
        bases.keep(base)
        (card,) = tmp_path.rglob(CARD)
        written = card.stat().st_mtime_ns
        bases.keep(base)
        bases.keep(demo)
        assert [path.stat().st_mtime_ns for path in tmp_path.rglob(CARD)] == [written]

    def test_one_that_nobody_sent_is_an_error(self, tmp_path):
        with pytest.raises(UserError, match="0" * 64):
            Bases(tmp_path).find("0" * 64)

    @pytest.mark.parametrize(
        ("spoil", "told"),
        [
            (lambda folder: (folder / TENSORS).write_bytes(b"half"), "truncated or altered"),
            (lambda folder: altered(folder), "a stored base is not what it was"),
            (lambda folder: scaled(folder), "a stored base is not what it was"),
        ],
        ids=["cut", "another weight", "another scaling"],
    )
    def test_one_that_was_altered_is_refused_and_goes_so_that_it_is_sent_again(self, tmp_path, base, spoil, told):
        bases = Bases(tmp_path)
        bases.keep(base)
        spoil(tmp_path / BASES / base.digest)
        with pytest.raises(UserError, match=told):
            bases.find(base.digest)
        assert not bases.has(base.digest)
        bases.keep(base)
        assert bases.find(base.digest).digest == base.digest

    def test_what_a_site_no_longer_accepts_goes(self, tmp_path, base, demo):
        bases = Bases(tmp_path)
        bases.keep(base)
        bases.forget_all_but([base.digest])
        assert bases.has(base.digest)
        bases.forget_all_but([demo.digest])
        assert not bases.has(base.digest)
        assert list((tmp_path / BASES).iterdir()) == []


def altered(folder):
    """One bit of one weight, with a card that tells the new hash."""
    tensors, card = read_tensors(folder)
    name = "generator.linears.0.bias"
    save_tensors(folder, tensors | {name: tensors[name].nextafter(torch.ones(()))}, card)


def scaled(folder):
    tensors, card = read_tensors(folder)
    save_tensors(folder, tensors, card | {"scaling": {"low": -17.0, "high": 5.5}})


class TestLooking:
    """What is unusual about networks, seen with noise alone."""

    def test_nothing_is_unusual_about_the_shipped_ones(self, shipped):
        base, network = shipped
        assert unusual(base, network, Bounds()) == []

    def test_their_first_gradients_lie_far_above_the_floor(self, shipped):
        base, network = shipped
        assert gradient_over_epsilon(pair(base, network)) > 1e4 * FLOOR

    @pytest.mark.parametrize(
        "change",
        [
            lambda group, name, value: value * 1e8,
            lambda group, name, value: value * 1e8 if name.startswith("linears.1") else value,
            lambda group, name, value: value * 1e9 if name.startswith("hidden") else value,
            lambda group, name, value: with_one_loud_channel(name, value) if group == "generator" else value,
        ],
        ids=["all scaled", "one layer of the generator", "one layer of the discriminator", "one loud channel"],
    )
    def test_networks_whose_first_gradient_vanishes_lie_below_it_and_are_named(self, demo, network, change):
        hostile = with_weights(demo, change)
        assert gradient_over_epsilon(pair(hostile, network)) < FLOOR
        assert "times Adam's epsilon: steps would copy the gradient" in unusual(hostile, network, Bounds())[-1]

    @pytest.mark.parametrize("group", ["generator", "discriminator"])
    def test_a_gradient_that_is_no_number_is_within_no_bounds_and_named(self, demo, network, group):
        dead = with_weights(demo, lambda of, name, value: torch.zeros_like(value) if of == group else value)
        assert Bounds().outside({"gradient": gradient_over_epsilon(pair(dead, network))})
        assert any(line.startswith("gradient is nan, not within") for line in unusual(dead, network, Bounds()))

    def test_looking_changes_nothing_and_sees_the_same_again(self, demo, network):
        looked_at = pair(demo, network)
        named = looked_at.named()
        before = {name: {key: v.clone() for key, v in one.state_dict().items()} for name, one in named.items()}
        first = gradient_over_epsilon(looked_at)
        assert gradient_over_epsilon(looked_at) == first
        for name, one in named.items():
            assert same(one.state_dict(), before[name])
            assert all(parameter.grad is None for parameter in one.parameters())

    def test_weights_that_are_exactly_zero_are_named_with_their_share(self, demo, network):
        def half(group, name, value):
            if (group, name) != ("discriminator", "hidden.weight"):
                return value
            return torch.where(torch.arange(value.shape[1]) % 2 == 0, 0.0, value)

        lines = unusual(with_weights(demo, half), network, Bounds())
        assert lines == ["discriminator.hidden.weight: 51% of the weights are exactly zero; training leaves none so"]

    def test_a_generator_that_makes_one_thing_is_named(self, demo, network):
        alike = with_weights(demo, lambda g, n, v: v + 1e6 if (g, n) == ("generator", "linears.1.bias") else v)
        (line,) = (line for line in unusual(alike, network, Bounds()) if line.startswith("variety is "))
        assert line.endswith(f"not within {Bounds().variety[0]:g} to 1e+12: the bounds of this site refuse it")

    def test_a_generator_at_the_ends_of_its_range_is_named(self, demo, network):
        names = [name.removeprefix("generator.") for name in demo.weights if name.startswith("generator.")]
        last = max(name for name in names if name.endswith("bias"))
        ends = with_weights(demo, lambda g, n, v: v + 50.0 if (g, n) == ("generator", last) else v)
        (line,) = (line for line in unusual(ends, network, Bounds()) if line.startswith("saturation is 0.9999"))
        assert line.endswith("not within 0 to 0.5: the bounds of this site refuse it")

    def test_networks_of_no_synthesizer_are_named(self, demo, network):
        fewer = Base({name: value for name, value in demo.weights.items() if "bias" not in name}, demo.scaling)
        assert probe(fewer, network) == {}
        assert "no synthesizer that is installed here can start from it" in unusual(fewer, network, Bounds())

    @pytest.mark.parametrize("classes", [2, 4, 7])
    def test_networks_for_any_number_of_emotions_are_looked_at(self, classes):
        small = NetworkConfig(width=1 / 64)
        fresh = Pair.fresh(small, classes, seed=0).learned()
        assert probe(Base(fresh, None), small).keys() == {"variety", "saturation", "gradient"}


def test_the_look_is_the_same_whatever_precedes_it(demo, network):
    first = unusual(demo, network, Bounds()), probe(demo, network)
    torch.manual_seed(17)
    torch.rand(3)
    assert (unusual(demo, network, Bounds()), probe(demo, network)) == first
    assert first[1]["gradient"] == gradient_over_epsilon(pair(demo, network))


def test_untrained_networks_look_unusual():
    """A control: what no pre-training made has a generator that makes one thing."""
    network = NetworkConfig(width=1 / 64)
    fresh = Base(Pair(Generator(network), Discriminator(network, 1)).learned(), Extremes(low=-16.0, high=4.0))
    assert any(line.startswith("variety is ") for line in unusual(fresh, network, Bounds()))
