"""A generator of few directions, trained to make the patches of the whole one (distillation; Hinton et al. 2015).

Owns the student, its loss and its budget. Must not know speech: it sees two generators and noise, so that whoever holds
a release can do the same, and nothing more of a recording gets into the student than the whole generator holds.

The weights of a rank that are nearest to the whole ones are not those whose patches are nearest. Trained from the
former, the latter are found in a fraction of a tuning's time.
"""

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from common.networks.generator import Generator
from common.networks.layers import network_to_hear
from common.seeds import torch_stream
from common.settings import NetworkConfig, OptimizerConfig
from common.training.adam import Adam
from common.training.draws import Draw
from common.training.phases import Game, Phase, Surroundings, play
from common.training.recording import Metrics
from common.weights import Form, cut, restored

DISTILLATION = "distillation"
STEPS, BATCH, RATE = 600, 32, 5e-3
"""By how near the patches of one generator, tuned to a session of EMO-DB, came to the whole one's, and by no score."""
LATENT_SCALE = 1.3
"""As wide as presets sample: what is asked for later has been shown here."""
ADAM = OptimizerConfig(beta1=0.9, beta2=0.99)
"""Nobody plays against the student, so that its gradients point the same way for many steps."""


class Student(nn.Module):
    """Public weights and what a form keeps of the difference to them; only the latter is trained."""

    def __init__(
        self, whole: Mapping[str, Tensor], public: Mapping[str, Tensor], form: Form, device: torch.device
    ) -> None:
        super().__init__()
        unrounded = replace(form, eight_bit=False)
        kept = cut(whole, public, unrounded, torch.Generator())  # of which nothing is drawn: nothing is rounded
        self._names, self._form = tuple(kept), unrounded
        self._shapes = {name: tuple(weight.shape) for name, weight in whole.items()}
        self._public = {name: public[name].float().to(device) for name in whole}
        self.kept = nn.ParameterList(kept[name].to(device, copy=True) for name in kept)

    def weights(self) -> dict[str, Tensor]:
        """Of the generator, differentiable in what is kept."""
        kept = dict(zip(self._names, self.kept, strict=True))
        return restored(kept, self._public, self._form, self._shapes)


def distilled(
    whole: Mapping[str, Tensor],
    public: Mapping[str, Tensor],
    form: Form,
    network: NetworkConfig,
    seed: int,
    around: Surroundings,
) -> dict[str, Tensor]:
    """Weights of which a cut to the form loses nothing but rounding, and whose patches are near those of `whole`.

    They are never farther than those of a cut: of what was tuned very little, the cut itself is what is returned.
    """
    device = around.acceleration.device
    student = Student(whole, public, form, device)
    classes = whole["linears.0.weight"].shape[1] - network.noise
    teacher = network_to_hear(lambda: Generator(network, classes=classes, normalized=False), whole)
    around.acceleration.prepare(teacher).requires_grad_(False)

    def draw(step: int) -> Draw:
        stream = torch_stream(seed, DISTILLATION, step)
        latents = LATENT_SCALE * torch.randn(BATCH, network.noise, generator=stream)
        wanted = torch.randint(classes, (BATCH,), generator=stream)
        condition = functional.one_hot(wanted, classes).float()
        return {"latents": latents.to(device), "condition": condition.to(device)}

    def make(draw: Draw) -> Tensor:
        patches: Tensor = functional_call(teacher, student.weights(), (draw["latents"], draw["condition"]))
        return patches.float()

    def loss(draw: Draw, made: Tensor) -> Metrics:
        with torch.no_grad():
            wanted = teacher(draw["latents"], draw["condition"]).float()
        return {"loss": functional.mse_loss(made, wanted)}

    adam = Adam(student.parameters(), RATE, ADAM)
    phase = Phase("student", adam, loss, rate=lambda step: RATE * (1 - step / STEPS))
    unseen = draw(STEPS)
    with torch.no_grad():
        before, off = student.weights(), loss(unseen, make(unseen))["loss"]
    play(Game(DISTILLATION, {"student": student}, draw, make, [phase], replayable=False), STEPS, around)
    with torch.no_grad():
        nearer = loss(unseen, make(unseen))["loss"] < off
        return {name: weight.cpu() for name, weight in (student.weights() if nearer else before).items()}
