"""What synthesizers of vectors share: their rows in memory, networks by name, and a sampler of what they release.

Owns that. Must not know any method, nor a loss.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from common.errors import UserError
from common.features.patches import Batch
from common.networks.perceptron import Perceptron
from common.seeds import derive_seed, torch_stream
from common.settings import OptimizerConfig, Section
from common.spaces import Space, Vectors
from common.synthesizers.synthesizer import Fitting, Shapes, Weights
from common.training.draws import Chance, Dealer, everything, require_labels
from common.training.standard import Standard, standard_for, standard_shapes

UNEVEN = 1.5
"""Ratio of the largest to the smallest emotion from which on a classifier weighs them alike (Yi & Mak 2020, IV-D)."""
AT_ONCE = 1024
"""Rows in one forward: sums depend on it."""


@dataclass(frozen=True)
class Numbers:
    """A source of row numbers in place of rows: what a network makes of each row may be known already."""

    labels: Tensor
    seed: int

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """Numbers by chance, each as likely; all of them, each once, where a batch holds as many."""
        chosen = torch.randint(len(self.labels), (size,), generator=torch_stream(self.seed, "rows", stream, step))
        return Batch(chosen, self.labels[chosen])


@dataclass(frozen=True)
class Material:
    """All examples of a fit, alike in scale, on the device that trains."""

    rows: Tensor
    labels: Tensor
    standard: Standard | None
    fitting: Fitting

    @classmethod
    def of(cls, fitting: Fitting, stage: str) -> "Material":
        """Read whole: an utterance is one row."""
        if not isinstance(fitting.space, Vectors):
            raise UserError(f"{stage} is fitted to vectors, not to patches", remedy="choose a recognizer of vectors")
        source = fitting.examples(False)
        require_labels(source, stage)
        whole = everything(source)
        standard = standard_for(fitting.space, whole.values)
        rows = whole.values if standard is None else standard.apply(whole.values)
        return cls(rows.float().to(fitting.around.acceleration.device), whole.labels, standard, fitting)

    @property
    def device(self) -> torch.device:
        """Where training happens."""
        return self.rows.device

    def dealer(self, stage: str, batch: int, chances: Mapping[str, Chance]) -> Dealer:
        """Steps of a stage; values are numbers of rows."""
        fitting = self.fitting
        source = Numbers(self.labels, fitting.seed)
        return Dealer(source, stage, fitting.seed, batch, chances, fitting.around.share, self.device)

    def weights(self) -> Tensor:
        """Of emotions in a classifier's loss: n_max / n_k where they are uneven, else one; zero for one that lacks."""
        counts = torch.bincount(self.labels, minlength=self.fitting.classes).float()
        most, present = counts.max(), counts > 0
        uneven = most > UNEVEN * counts[present].min()
        weights = torch.where(present, most / counts.clamp_min(1) if uneven else torch.ones_like(counts), 0.0)
        return weights.to(self.device)

    def tell_encoder(self, stage: str, encoder: Perceptron) -> None:
        """To whoever looks on where the examples are; a site has nobody who does."""

        @torch.no_grad()
        def encode(examples: Tensor) -> Tensor:
            rows = examples if self.standard is None else self.standard.apply(examples)
            codes: Tensor = encoder(rows.float().to(self.device)).cpu()
            return codes

        self.fitting.around.reporter.encoder(stage, encode)

    def members(self) -> "Members":
        """Rows sorted by emotion, for a method that has networks of their own for each."""
        counts = torch.bincount(self.labels, minlength=self.fitting.classes)
        present = counts.nonzero().flatten()
        starts = counts.cumsum(0) - counts
        order = self.labels.argsort(stable=True).to(self.device)
        return Members(order, starts[present].to(self.device), counts[present].to(self.device), present)

    def seed(self, method: str, network: str) -> int:
        """Of a network's first weights."""
        return derive_seed(self.fitting.seed, method, network)


@dataclass(frozen=True)
class Members:
    """Which rows are of which emotion; one that nobody spoke is not among them.

    Args:
        order: numbers of rows, emotion after emotion.
        starts: where each present emotion begins in it.
        counts: how many rows each present emotion has.
        present: the emotions that there are, in order.
    """

    order: Tensor
    starts: Tensor
    counts: Tensor
    present: Tensor

    def __len__(self) -> int:
        return len(self.present)

    def pick(self, chances: Tensor) -> Tensor:
        """Chances in [0, 1), [present * each] -> numbers of rows [present, each], of each emotion its own."""
        chosen = (chances.view(len(self), -1) * self.counts[:, None]).long()
        return self.order[self.starts[:, None] + chosen]


def one_of_those(labels: Tensor) -> Chance:
    """Emotions that occur, each as likely."""
    present = labels.unique()
    return lambda rows, stream: present[torch.randint(len(present), (rows,), generator=stream)]


def as_in(labels: Tensor) -> Chance:
    """Emotions as often as they occur: one that nobody spoke is not drawn."""
    return lambda rows, stream: labels[torch.randint(len(labels), (rows,), generator=stream)]


def one_hot(wanted: Tensor, classes: int) -> Tensor:
    """[n] -> [n, classes]."""
    return torch.zeros(len(wanted), classes, device=wanted.device).scatter_(1, wanted[:, None], 1.0)


BOUNDED = {
    "steps": ("iterations",),
    "preparation": ("start", "classifier"),
    "every": ("autoencoder_every", "halve_every"),
    "batch": ("batch",),
    "width": ("width",),
    "latent": ("noise",),
    "code": ("code",),
    "radius": ("radius",),
    "hidden": ("hidden", "inner"),
    "weight": ("classification", "cycle", "information", "penalty"),
    "power": ("power",),
    "momentum": ("momentum",),
    "instance_noise": ("instance_noise",),
    "generator_rate": ("learning_rate", "autoencoder_rate", "code_rate", "decoder_rate"),
    "discriminator_rate": ("learning_rate", "code_rate", "discriminator_rate"),
}
"""Settings of these methods by the bounds of a site's policy, each of which may hold several."""
RATES = "generator_rate", "discriminator_rate"


def numbers_of(own: Section, optimizer: OptimizerConfig) -> dict[str, tuple[float, ...]]:
    """What a site's policy bounds; rates of plain descent are of another size than Adam's, and have another name."""
    told = {
        bound: tuple(float(getattr(own, name)) for name in names if hasattr(own, name))
        for bound, names in BOUNDED.items()
    }
    if getattr(own, "descent", "adam") == "plain":
        told["descent_rate"] = tuple(rate for name in RATES for rate in told.pop(name))
    told |= {"beta1": (optimizer.beta1,), "beta2": (optimizer.beta2,)}
    return {bound: values for bound, values in told.items() if values}


def release_of(networks: Mapping[str, nn.Module], standard: Standard | None) -> dict[str, Tensor]:
    """Weights of the networks that leave, by name, and the scale where numbers were raw."""
    tensors = {f"{name}.{key}": value for name, one in networks.items() for key, value in one.state_dict().items()}
    tensors |= {} if standard is None else standard.released()
    return {name: value.detach().float().cpu().clone() for name, value in tensors.items()}


def released_shapes(build: Callable[[], Mapping[str, nn.Module]], space: Space) -> Shapes:
    """Of networks that are only measured."""
    with torch.device("meta"):
        networks = build()
    state = {f"{name}.{key}": value for name, one in networks.items() for key, value in one.state_dict().items()}
    return {name: tuple(value.shape) for name, value in state.items()} | standard_shapes(space)


def opened(networks: Mapping[str, Perceptron], weights: Weights, device: torch.device) -> list[Perceptron]:
    """Networks with the weights of a release."""
    for name, one in networks.items():
        prefix = f"{name}."
        own = {key.removeprefix(prefix): value.float() for key, value in weights.items() if key.startswith(prefix)}
        one.load_state_dict(own)
        one.to(device).requires_grad_(False)
    return list(networks.values())


def some_of(stack: Perceptron, numbers: Tensor) -> Perceptron:
    """Copies of a few networks of a stack, in a stack of their own."""
    part = copy.deepcopy(stack)
    for layer in part.dense:
        layer.weight = nn.Parameter(layer.weight.detach()[numbers].clone())
        layer.bias = nn.Parameter(layer.bias.detach()[numbers].clone())
    return part


@torch.no_grad()
def put_back(stack: Perceptron, numbers: Tensor, part: Perceptron) -> Perceptron:
    """The stack with these networks as they have become."""
    for layer, trained in zip(stack.dense, part.dense, strict=True):
        layer.weight[numbers] = trained.weight.to(layer.weight.device)
        layer.bias[numbers] = trained.bias.to(layer.bias.device)
    return stack


class ChainSampler:
    """Networks in a row: what the first makes of a latent, the next turns on, and the last one's rows are a sample.

    Args:
        weights: a release.
        networks: by the names of the release, in order.
        latent: standard normal rows and wanted emotions -> what the first network is given.
        noise: numbers in a latent.
        device: that computes; latents are drawn on the CPU.
    """

    def __init__(
        self,
        weights: Weights,
        networks: Mapping[str, Perceptron],
        latent: Callable[[Tensor, Tensor], Tensor],
        noise: int,
        device: torch.device,
    ) -> None:
        self._standard = Standard.received(weights)
        self._networks = opened(networks, weights, device)
        self._latent, self._noise, self._device = latent, noise, device

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """Vectors of the wanted emotions."""
        normal = latent_scale * torch.randn(len(wanted), self._noise, generator=stream)
        return torch.cat(list(self._forwards(normal, wanted)))

    @torch.inference_mode()
    def _forwards(self, normal: Tensor, wanted: Tensor) -> Iterator[Tensor]:
        for rows, classes in zip(normal.split(AT_ONCE), wanted.split(AT_ONCE), strict=True):
            made = self._latent(rows, classes).to(self._device)
            for network in self._networks:
                made = network(made)
            made = made.cpu()
            yield made if self._standard is None else self._standard.undo(made)


Inputs = Callable[[int, torch.Generator, float], Tensor]
"""So many rows of what a network is given, drawn from a stream at a scale."""


def normal_rows(size: int) -> Inputs:
    """Noise."""
    return lambda count, stream, scale: scale * torch.randn(count, size, generator=stream)


class StackSampler:
    """A network for each emotion: every wanted one gets what the network of its emotion makes of its input.

    Args:
        weights: a release.
        stack: of networks, by its name in the release.
        inputs: what the networks are given.
        device: that computes.
        residual: whether a network makes a difference to its input, instead of the whole.
    """

    def __init__(
        self,
        weights: Weights,
        stack: Mapping[str, Perceptron],
        inputs: Inputs,
        device: torch.device,
        *,
        residual: bool = False,
    ) -> None:
        self._standard = Standard.received(weights)
        (self._stack,) = opened(stack, weights, device)
        self._inputs, self._device, self._residual = inputs, device, residual

    @torch.inference_mode()
    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """Vectors of the wanted emotions."""
        given = self._inputs(len(wanted), stream, latent_scale)
        made = torch.empty(0)
        for emotion in wanted.unique():
            places = (wanted == emotion).nonzero().flatten()
            network, rows = some_of(self._stack, emotion[None]), given[places].to(self._device)
            own = network(rows[None])[0] + rows if self._residual else network(rows[None])[0]
            made = made if len(made) else torch.empty(len(wanted), own.shape[1])
            made[places] = own.cpu()
        return made if self._standard is None else self._standard.undo(made)
