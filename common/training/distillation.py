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
from common.weights import Form, as_it_leaves, cut, restored

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
    held: tuple[bool, ...] = (),
) -> dict[str, Tensor]:
    """Weights of which a cut to the form loses nothing but rounding, and whose patches are near those of `whole`.

    Cut and rounded by the dice of this seed, they are nearer for every emotion that is held than the whole ones are,
    cut by the same; else the whole ones are returned, of which a cut is what it would have been.
    """
    device = around.acceleration.device
    classes = whole["linears.0.weight"].shape[1] - network.noise
    known = [number for number in range(classes) if not held or held[number]]
    teacher = network_to_hear(lambda: Generator(network, classes=classes, normalized=False), whole)
    around.acceleration.prepare(teacher).requires_grad_(False)
    student = Student(whole, public, form, device)

    def noise(stream: torch.Generator) -> Tensor:
        return LATENT_SCALE * torch.randn(BATCH, network.noise, generator=stream)

    def shown(latents: Tensor, wanted: Tensor) -> Draw:
        condition = functional.one_hot(wanted, classes).float()
        return {"latents": latents.to(device), "condition": condition.to(device)}

    def draw(step: int) -> Draw:
        stream = torch_stream(seed, DISTILLATION, step)
        latents = noise(stream)
        return shown(latents, torch.tensor(known)[torch.randint(len(known), (BATCH,), generator=stream)])

    def make(draw: Draw) -> Tensor:
        return _patches(teacher, student.weights(), draw)

    def loss(draw: Draw, made: Tensor) -> Metrics:
        with torch.no_grad():
            wanted = teacher(draw["latents"], draw["condition"]).float()
        return {"loss": functional.mse_loss(made, wanted)}

    @torch.no_grad()
    def off(weights: Mapping[str, Tensor]) -> list[float]:
        """Of what would leave, emotion by emotion, over noise that no step shows."""
        left = {name: value.to(device) for name, value in as_it_leaves(weights, public, form, seed).items()}
        latents = noise(torch_stream(seed, DISTILLATION))
        unseen = [shown(latents, torch.full((BATCH,), one)) for one in known]
        return [float(loss(draw, _patches(teacher, left, draw))["loss"]) for draw in unseen]

    adam = Adam(student.parameters(), RATE, ADAM)
    phase = Phase("student", adam, loss, rate=lambda step: RATE * (1 - step / STEPS))
    play(Game(DISTILLATION, {"student": student}, draw, make, [phase], replayable=False), STEPS, around)
    with torch.no_grad():
        trained = {name: weight.cpu() for name, weight in student.weights().items()}
    nearer = [after < before for after, before in zip(off(trained), off(whole), strict=True)]
    return trained if all(nearer) else dict(whole)


def _patches(teacher: Generator, weights: Mapping[str, Tensor], draw: Draw) -> Tensor:
    """Of a generator of these weights in the place of the teacher's."""
    patches: Tensor = functional_call(teacher, dict(weights), (draw["latents"], draw["condition"]))
    return patches.float()
