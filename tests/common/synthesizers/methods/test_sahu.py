"""M1, M2 and M3, held to what their paper says, and to what it means where its signs say another thing."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from common.networks.perceptron import Perceptron
from common.seeds import torch_stream
from common.settings import OptimizerConfig
from common.spaces import Vectors
from common.synthesizers.methods import m1, m2, m3
from common.synthesizers.methods.adan import of_two
from common.synthesizers.vectors import one_hot
from common.training.adam import Adam
from common.training.momentum import Momentum

CLASSES = 4


def sizes(network):
    return [layer.weight.shape[1] for layer in network.layers] + [network.layers[-1].weight.shape[0]]


def trained(network, loss, steps=60):
    adam = Adam(network.parameters(), 1e-2, OptimizerConfig())
    for _ in range(steps):
        adam.forget_gradients()
        loss().backward()
        adam.step()
    return network


@pytest.fixture
def reported(config, fitting_of, around, listener):
    """What a fit reports."""

    def fitted(method, **changes):
        heard = listener()
        own = getattr(config, method.name).model_copy(update=changes)
        settings = method.settings_of(config.model_copy(update={method.name: own}))
        method.fit(
            fitting_of(method, settings, Vectors, around=replace(around, reporter=heard, report_every=1)), settings
        )
        return [list(dict.fromkeys(name.split("/")[0] for name in metrics)) for _, _, metrics in heard.records]

    return fitted


def test_the_networks_are_those_of_table_1():
    mixture = m1.Networks.fresh(1582, CLASSES, m1.MixtureConfig(), second=True)
    assert {name: sizes(network) for name, network in mixture.named().items()} == {
        "encoder": [1582, 1000, 500, 100, 2],
        "decoder": [2, 100, 500, 1000, 1582],
        "of_codes": [6, 1000, 500, 100, 1],
        "of_rows": [1586, 1000, 500, 100, 1],
    }
    information = m3.Networks.fresh(1582, CLASSES, m3.M3Config())
    assert {name: sizes(network) for name, network in vars(information).items()} == {
        "encoder": [1582, 1000, 700, 300, 256],
        "decoder": [256, 300, 700, 1000, 1582],
        "code_generator": [24, 140, 256],
        "of_codes": [260, 1000, 500, 100, 1],
        "trunk": [1586, 1000, 500, 100],
        "of_rows": [100, 1],
        "auxiliary": [100, 128, 4],
    }


def test_a_batch_has_the_steps_of_section_4_3_and_the_second_discriminator_half_as_many(reported):
    assert reported(m1.SYNTHESIZER) == [["autoencoder", "codes", "encoder"]] * 4
    both = [["autoencoder", "codes", "encoder", "rows", "decoder"], ["autoencoder", "codes", "encoder", "decoder"]]
    assert reported(m2.SYNTHESIZER) == reported(m3.SYNTHESIZER) == both * 2


def test_plain_descent_is_another_optimizer_that_a_policy_bounds_by_another_name(reported):
    settings = m2.Settings(m2=m1.MixtureConfig(descent="plain", code_rate=0.1))
    told = m2.SYNTHESIZER.numbers(settings)
    assert max(told["descent_rate"]) == 0.1
    assert "generator_rate" not in told
    assert isinstance(m1.descent(settings.m2, OptimizerConfig())([Perceptron((2, 1))], 0.1), Momentum)
    assert len(reported(m2.SYNTHESIZER, descent="plain")) == 4


def test_samples_are_decoded_from_the_component_of_the_wanted_emotion(config):
    own = config.m1.model_copy(update={"code": 2})
    network = m1.Networks.fresh(8, CLASSES, own, second=False).decoder
    release = {f"decoder.{name}": value for name, value in network.state_dict().items()}
    sampler = m1.mixture_sampler(release, own, Vectors(set="tiny", size=8), CLASSES, torch.device("cpu"))
    made = sampler.sample(torch.tensor([0, 2]), torch_stream("a"))
    noise = torch.randn(2, 2, generator=torch_stream("a"))
    torch.testing.assert_close(made, network(noise + torch.tensor([[4.0, 0], [-4.0, 0]])))


class TestSigns:
    """Of (4) to (9); the misprint beside what is meant."""

    @pytest.fixture
    def rows(self):
        first, second = (torch.randn(64, 3, generator=torch_stream(name)) for name in ("codes", "draws"))
        return first + 2, second - 2

    def test_a_discriminator_tells_codes_from_draws_and_one_without_the_minus_tells_nothing(self, rows):
        codes, draws = rows

        def misprinted(of_codes, of_draws):
            """As (4) stands there: log D(codes) - log(1 - D(draws))."""
            return functional.logsigmoid(of_codes).clamp_min(-9).mean() - functional.logsigmoid(-of_draws).mean()

        for loss, tells in ((of_two, True), (misprinted, False)):
            network = Perceptron((3, 8, 1), seed=1)
            trained(network, lambda loss=loss, network=network: loss(network(codes), network(draws)))
            right = torch.cat((network(codes) > 0, network(draws) < 0)).float().mean()
            assert (right > 0.95) == tells

    def test_a_decoder_comes_nearer_to_the_real_and_one_with_the_printed_sign_goes_away(self, rows):
        made, real = rows
        judge = Perceptron((3, 8, 1), seed=1)
        trained(judge, lambda: of_two(judge(made), judge(real)))
        for loss, nearer in (
            (m1.taken_for_zero, True),
            (lambda scores: functional.logsigmoid(-scores).mean(), False),  # (8) as it stands there
        ):
            moving = made.clone().requires_grad_()
            loss(judge(moving)).backward()
            stepped = made - functional.normalize(moving.grad)
            before, after = ((each.mean(dim=0) - real.mean(dim=0)).norm() for each in (made, stepped))
            assert (after < before) == nearer


class TestTheLeakOfM3:
    """The auxiliary network lies on a trunk whose input has the label."""

    @pytest.fixture
    def agreement(self):
        """How often a network that was trained on labels of pure chance says a new one right."""

        def measured(asked):
            networks = m3.Networks.fresh(8, CLASSES, m3.M3Config(width=0.05), lambda name: 1)
            rows, labels = (
                torch.randn(512, 8, generator=torch_stream("rows")),
                torch.randint(CLASSES, (512,), generator=torch_stream("labels")),
            )
            both = torch.nn.ModuleList([networks.trunk, networks.auxiliary])
            trained(both, lambda: functional.cross_entropy(asked(networks, rows, labels), labels))
            others = torch.randint(CLASSES, (512,), generator=torch_stream("others"))
            return (asked(networks, rows, others).argmax(dim=1) == others).float().mean()

        return measured

    def test_it_is_at_chance_where_labels_are(self, agreement):
        assert agreement(lambda networks, rows, labels: networks.emotion(rows, CLASSES)) == pytest.approx(
            0.25, abs=0.08
        )

    def test_it_would_read_the_answer_where_the_label_stands_at_its_input(self, agreement):
        def misprinted(networks, rows, labels):
            return networks.auxiliary(functional.relu(m1.labelled(networks.trunk, rows, labels, CLASSES)))

        assert agreement(misprinted) > 0.9

    def test_it_says_what_the_rows_themselves_tell(self):
        networks = m3.Networks.fresh(8, CLASSES, m3.M3Config(width=0.05), lambda name: 1)
        labels = torch.randint(CLASSES, (512,), generator=torch_stream("labels"))
        rows = torch.randn(512, 8, generator=torch_stream("rows")) + 4 * one_hot(labels, 8)
        both = torch.nn.ModuleList([networks.trunk, networks.auxiliary])
        trained(both, lambda: functional.cross_entropy(networks.emotion(rows, CLASSES), labels), steps=60)
        assert (networks.emotion(rows, CLASSES).argmax(dim=1) == labels).float().mean() > 0.8
