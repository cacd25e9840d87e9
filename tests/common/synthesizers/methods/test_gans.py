"""The plain GAN of each emotion, and the conditional one."""

from dataclasses import replace

import pytest
import torch

from common.seeds import torch_stream
from common.spaces import Vectors
from common.synthesizers.methods import cgan, gan

CPU = torch.device("cpu")


@pytest.mark.parametrize("method", [gan.SYNTHESIZER, cgan.SYNTHESIZER], ids=lambda one: one.name)
def test_its_emotions_come_apart_as_those_of_the_site_are(method, config, fitting_of, around, source_of):
    own = getattr(config, method.name)
    able = own.model_copy(update={"iterations": 300, "batch": 64, "hidden": 24, "inner": 24, "learning_rate": 2e-3})
    settings = method.settings_of(config.model_copy(update={method.name: able}))
    calm = replace(around, report_every=100, snapshot_every=1000)
    fitting = fitting_of(method, settings, Vectors, around=calm)
    weights = method.fit(fitting, settings)
    made = method.sampler(weights, settings, fitting.space, 4, CPU).sample(
        torch.arange(4).repeat(100), torch_stream("a")
    )
    means = [made[number::4].mean().item() for number in range(4)]
    assert means == sorted(means)
    assert means[3] - means[0] > 1


def test_a_stack_has_a_generator_for_each_emotion_and_one_that_lacks_speech_is_not_moved(config, fitting_of):
    settings = gan.SYNTHESIZER.settings_of(config)
    fitting = fitting_of(gan.SYNTHESIZER, settings, Vectors)
    whole = fitting.examples(False).everything()
    kept = whole.labels != 2

    class Without:
        def everything(self):
            return type(whole)(whole.values[kept], whole.labels[kept])

        def batch(self, step, size, stream):
            return self.everything()

    released = gan.SYNTHESIZER.fit(replace(fitting, examples=lambda balanced: Without()), settings)
    untouched = gan.SYNTHESIZER.fit(
        fitting, settings.model_copy(update={"gan": settings.gan.model_copy(update={"iterations": 0})})
    )
    name = "generators.layers.0.weight"
    assert len(released[name]) == 4
    assert [torch.equal(released[name][each], untouched[name][each]) for each in range(4)] == [
        False,
        False,
        True,
        False,
    ]
