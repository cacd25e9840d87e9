"""The earlier GAN of Chatziagapi et al., "Data Augmentation using GANs for Speech Emotion Recognition" (2019).

Their section 2.2 in order: an autoencoder of the emotional speech itself, a Gaussian of its codes for each emotion,
then a GAN whose latents are drawn from those. Their section 2.3: transposed convolutions, batch norm, dropout and
leaky ReLU after each layer, real and fake in batches of their own.

Owns that recipe. Must not know the paper's networks beyond their sizes, which are scaled by the same width.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from common.networks.acceleration import prepare
from common.networks.discriminator import CHANNELS as ENCODED
from common.networks.generator import CHANNELS as DECODED
from common.networks.generator import FIRST_SIDE, HIDDEN, scaled
from common.networks.memory import TUNING_SHOWS, pair_memory
from common.seeds import derive_seed
from common.settings import ChatziagapiConfig, NetworkConfig, OptimizerConfig, Section
from common.spaces import Patches, Space
from common.synthesizers.methods.eskimez import AT_ONCE
from common.synthesizers.synthesizer import Cost, Fitting, Numbers, Shapes, Synthesizer, Weights
from common.training.adam import Adam
from common.training.draws import Chance, Dealer, Draw, Examples, normal, one_of
from common.training.phases import Game, Phase, Surroundings, play
from common.training.recording import Metrics

AUTOENCODER, GAN = "baseline-autoencoder", "baseline-gan"
ALIKE = 1e-3
"""How far codes that are one lie apart at the most, in what all codes do: rounding is far below, speech far above."""
CODED = 1024
"""Patches whose codes the Gaussians are fitted to, of all emotions alike: each has more than a code has numbers."""


Network = TypeVar("Network", bound=nn.Module)


class Settings(Section):
    """Sizes, Adam, and the two stages."""

    network: NetworkConfig = NetworkConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    chatziagapi: ChatziagapiConfig = ChatziagapiConfig()


class Dropout(nn.Module):
    """Dropout with chances of its own for every step, so that resuming at a step drops what was dropped there."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share
        self.stream = torch.Generator()

    def forward(self, images: Tensor) -> Tensor:
        """Zero a share of all numbers and raise the others, while training."""
        if not self.training or not self.share:
            return images
        chances = torch.rand(images.shape, generator=self.stream, device=images.device)
        return images * (chances >= self.share) / (1 - self.share)


def reseed(networks: tuple[nn.Module, ...], device: torch.device, *names: str | int) -> None:
    """Begin every dropout's stream anew, for the step that the names tell."""
    layers = [layer for network in networks for layer in network.modules() if isinstance(layer, Dropout)]
    for number, layer in enumerate(layers):
        layer.stream = torch.Generator(device).manual_seed(derive_seed(*names, number))


def _block(layer: nn.Module, channels: int, leak: float, dropout: float) -> nn.Sequential:
    return nn.Sequential(layer, nn.BatchNorm2d(channels), nn.LeakyReLU(leak), Dropout(dropout))


class Encoder(nn.Module):
    """Eight convolutions and a dense layer: patches to codes, or to emotions and the fake."""

    def __init__(self, network: NetworkConfig, outputs: int, dropout: float) -> None:
        super().__init__()
        channels = [ENCODED[0], *(scaled(size, network.width) for size in ENCODED[1:])]
        self.body = nn.Sequential(
            *(
                _block(
                    nn.Conv2d(channels[index], channels[index + 1], 3, stride=1 + index % 2, padding=1),
                    channels[index + 1],
                    network.leak,
                    dropout,
                )
                for index in range(len(channels) - 1)
            )
        )
        self.head = nn.Linear(channels[-1] * FIRST_SIDE**2, outputs)

    def forward(self, patches: Tensor) -> Tensor:
        """[batch, 1, 128, 128] -> [batch, outputs]."""
        outputs: Tensor = self.head(self.body(patches).flatten(1))
        return outputs.float()


class Decoder(nn.Module):
    """Two dense layers, eight transposed convolutions of which every second doubles the picture, a convolution."""

    def __init__(self, network: NetworkConfig, code: int, dropout: float) -> None:
        super().__init__()
        channels = [scaled(size, network.width) for size in DECODED[:-1]]
        hidden = scaled(HIDDEN, network.width)
        self.dense = nn.Sequential(
            nn.Linear(code, hidden),
            nn.LeakyReLU(network.leak),
            nn.Linear(hidden, channels[0] * FIRST_SIDE**2),
            nn.LeakyReLU(network.leak),
        )
        self.body = nn.Sequential(
            *(
                _block(
                    nn.ConvTranspose2d(
                        channels[index], channels[index + 1], 3 + index % 2, stride=1 + index % 2, padding=1
                    ),
                    channels[index + 1],
                    network.leak,
                    dropout,
                )
                for index in range(len(channels) - 1)
            )
        )
        self.last = nn.Conv2d(channels[-1], 1, 3, padding=1)

    def forward(self, codes: Tensor) -> Tensor:
        """[batch, code] -> [batch, 1, 128, 128] in [-1, 1]."""
        images = self.dense(codes).view(len(codes), -1, FIRST_SIDE, FIRST_SIDE)
        patches: Tensor = torch.tanh(self.last(self.body(images)))
        return patches.float()


@dataclass(frozen=True)
class Gaussians:
    """One for each emotion, of its codes: means [emotions, code] and roots of covariances [emotions, code, code]."""

    means: Tensor
    roots: Tensor

    @classmethod
    def of(cls, codes: Tensor, labels: Tensor, classes: int) -> "Gaussians":
        """Fitted to the codes of each class; the root of a covariance is its symmetric one, so that there is one only.

        Of a class without codes nothing is known, and nothing is told: zeros. One whose codes are all one, such as
        those of a single short utterance, has no spread of its own and is given that of all codes.

        >>> codes = torch.tensor([[1.0, 0.0], [3.0, 0.0], [5.0, 5.0], [5.0, 7.0]])
        >>> fitted = Gaussians.of(codes, torch.tensor([0, 0, 1, 1]), classes=2)
        >>> fitted.at(torch.ones(2, 2), torch.tensor([0, 1]))
        tensor([[3.4142, 0.0000],
                [5.0000, 7.4142]])
        """
        means, roots = [], []
        for number in range(classes):
            own = codes[labels == number].double()
            if not len(own):
                own = torch.zeros(2, codes.shape[1], dtype=torch.float64)
            elif own.std(dim=0, correction=0).mean() < ALIKE * codes.std(dim=0).mean():
                own = own.mean(dim=0) + codes.double() - codes.double().mean(dim=0)
            values, vectors = torch.linalg.eigh(own.T.cov())
            means.append(own.mean(dim=0))
            roots.append((vectors * values.clamp_min(0).sqrt()) @ vectors.T)
        return cls(torch.stack(means).float(), torch.stack(roots).float())

    def at(self, normal: Tensor, wanted: Tensor) -> Tensor:
        """Standard normal rows as latents of the wanted emotions."""
        return self.means[wanted] + torch.einsum("bij,bj->bi", self.roots[wanted], normal)

    def to(self, device: torch.device) -> "Gaussians":
        """The same, there."""
        return Gaussians(self.means.to(device), self.roots.to(device))


@dataclass(frozen=True)
class Fitted:
    """What training leaves: the decoder and where in its latents the emotions lie."""

    decoder: Decoder
    gaussians: Gaussians


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    """Autoencoder on the speech as it occurs, Gaussians of codes, GAN on emotions drawn evenly."""
    own, network, classes = settings.chatziagapi, settings.network, fitting.classes
    decoder = _fresh(lambda: Decoder(network, own.code, own.dropout), fitting, "decoder")
    encoder = _fresh(lambda: Encoder(network, own.code, own.dropout), fitting, "encoder")
    _train_autoencoder(decoder, encoder, fitting, settings)
    even = fitting.examples(True)
    gaussians = _gaussians(encoder, even, classes, fitting.around)
    discriminator = _fresh(lambda: Encoder(network, classes + 1, own.dropout), fitting, "judge")
    discriminator.body.load_state_dict(encoder.body.state_dict())
    fitted = Fitted(decoder, gaussians)
    _train_gan(fitted, discriminator, even, fitting, settings)
    return _release(fitted)


def _fresh(build: Callable[[], Network], fitting: Fitting, name: str) -> Network:
    """A new network, the same for the same seed: torch's own layers draw from the global stream, which is lent."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive_seed(fitting.seed, "chatziagapi", name))
        network = build()
    return fitting.around.acceleration.prepare(network).train()


def _train_autoencoder(decoder: Decoder, encoder: Encoder, fitting: Fitting, settings: Settings) -> None:
    """Mean squared error, as in the method that theirs extends (BAGAN, Mariani et al. 2018)."""
    own = settings.chatziagapi
    parameters = [*decoder.parameters(), *encoder.parameters()]
    optimizer = Adam(parameters, own.autoencoder_learning_rate, settings.optimizer)

    def loss(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": functional.mse_loss(made, draw["values"])}

    game = Game(
        AUTOENCODER,
        {"decoder": decoder, "encoder": encoder},
        _draws(fitting.examples(False), AUTOENCODER, {}, (decoder, encoder), fitting, settings),
        make=lambda draw: decoder(encoder(draw["values"])),
        phases=[Phase("autoencoder", optimizer, loss)],
        replayable=False,  # the chances of dropout begin anew in each step
    )
    play(game, own.autoencoder_iterations, fitting.around)


@torch.no_grad()
def _gaussians(encoder: Encoder, patches: Examples, classes: int, around: Surroundings) -> Gaussians:
    encoder.eval()
    codes, labels = [], []
    for step in range(CODED // AT_ONCE):
        batch = patches.batch(step, AT_ONCE, "codes")
        codes.append(encoder(batch.values.to(around.acceleration.device)).cpu())
        labels.append(batch.labels)
    return Gaussians.of(torch.cat(codes), torch.cat(labels), classes).to(around.acceleration.device)


def _train_gan(fitted: Fitted, discriminator: Encoder, patches: Examples, fitting: Fitting, settings: Settings) -> None:
    """The discriminator names the emotion of the real or calls it fake; the decoder wants to be taken for its own."""
    own, fake = settings.chatziagapi, fitting.classes
    chances = {"latents": normal(own.code), "wanted": one_of(fitting.known)}

    def make(draw: Draw) -> Tensor:
        made: Tensor = fitted.decoder(fitted.gaussians.at(draw["latents"], draw["wanted"]))
        return made

    def discriminator_loss(draw: Draw, made: Tensor) -> Metrics:
        # Two forwards, for batch norm would let the fake lean on the real.
        of_real, of_fake = discriminator(draw["values"]), discriminator(made.detach())
        called_fake = torch.full_like(draw["wanted"], fake)
        loss = functional.cross_entropy(torch.cat((of_real, of_fake)), torch.cat((draw["labels"], called_fake)))
        real_right = (of_real.argmax(dim=1) == draw["labels"]).float().mean()
        fake_right = (of_fake.argmax(dim=1) == fake).float().mean()
        return {"loss": loss, "real_right": real_right, "fake_right": fake_right}

    def decoder_loss(draw: Draw, made: Tensor) -> Metrics:
        return {"loss": functional.cross_entropy(discriminator(made), draw["wanted"])}

    def optimizer(network: nn.Module) -> Adam:
        return Adam(network.parameters(), own.learning_rate, settings.optimizer)

    game = Game(
        GAN,
        {"decoder": fitted.decoder, "judge": discriminator},
        _draws(patches, GAN, chances, (fitted.decoder, discriminator), fitting, settings),
        make,
        [
            Phase("discriminator", optimizer(discriminator), discriminator_loss),
            Phase("generator", optimizer(fitted.decoder), decoder_loss),
        ],
        replayable=False,
    )
    play(game, own.iterations, fitting.around)


def _draws(
    patches: Examples,
    stage: str,
    chances: Mapping[str, Chance],
    networks: tuple[nn.Module, ...],
    fitting: Fitting,
    settings: Settings,
) -> Callable[[int], Draw]:
    """Steps of a stage, each of which begins the chances of dropout anew."""
    own, around = settings.chatziagapi, fitting.around
    device = around.acceleration.device
    dealer = Dealer(patches, stage, fitting.seed, own.batch, chances, around.share, device)

    def draw(step: int) -> Draw:
        reseed(networks, device, fitting.seed, stage, step)
        return dealer.draw(step)

    return draw


DECODER, MEANS, ROOTS = "decoder.", "means", "roots"


def _release(fitted: Fitted) -> dict[str, Tensor]:
    state = {f"{DECODER}{name}": value for name, value in fitted.decoder.state_dict().items()}
    kept = {name: value for name, value in state.items() if value.is_floating_point()}  # without batch norm's counters
    return kept | {MEANS: fitted.gaussians.means, ROOTS: fitted.gaussians.roots}


class BaselineSampler:
    """A decoder as it was released, with the emotions' Gaussians."""

    def __init__(self, weights: Weights, network: NetworkConfig, device: torch.device | None = None) -> None:
        self._device = device or torch.device("cpu")
        full = {name: value.float() for name, value in weights.items()}
        self._gaussians = Gaussians(full.pop(MEANS), full.pop(ROOTS)).to(self._device)
        decoder = Decoder(network, self._gaussians.means.shape[1], dropout=0.0)
        decoder.load_state_dict({name.removeprefix(DECODER): value for name, value in full.items()}, strict=False)
        self._decoder = prepare(decoder, self._device).eval().requires_grad_(False)

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """Patches of the wanted emotions, each from its emotion's Gaussian, widened or narrowed."""
        normal = latent_scale * torch.randn(len(wanted), self._gaussians.means.shape[1], generator=stream)
        return torch.cat(list(self._forwards(normal, wanted)))

    @torch.inference_mode()
    def _forwards(self, normal: Tensor, wanted: Tensor) -> Iterator[Tensor]:
        for rows, classes in zip(normal.split(AT_ONCE), wanted.split(AT_ONCE), strict=True):
            latents = self._gaussians.at(rows.to(self._device), classes.to(self._device))
            yield self._decoder(latents).cpu()


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    code = settings.chatziagapi.code
    with torch.device("meta"):
        decoder = Decoder(settings.network, code, dropout=0.0)
        gaussians = Gaussians(torch.empty(classes, code), torch.empty(classes, code, code))
    return {name: tuple(value.shape) for name, value in _release(Fitted(decoder, gaussians)).items()}


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    own = settings.chatziagapi
    # Measured at width 1/16 on a processor: batch norm and dropout make its steps dearer than fine-tuning's.
    steps = 2 * own.autoencoder_iterations + 4 * own.iterations
    return Cost(steps, pair_memory(settings.network, own.batch, TUNING_SHOWS, classes))


def _numbers(settings: Settings) -> Numbers:
    own, optimizer = settings.chatziagapi, settings.optimizer
    rates = own.autoencoder_learning_rate, own.learning_rate
    return {
        "steps": (own.autoencoder_iterations, own.iterations),
        "batch": own.batch,
        "width": settings.network.width,
        "latent": (own.code, settings.network.noise),
        "leak": settings.network.leak,
        "generator_rate": rates,
        "discriminator_rate": rates,
        "beta1": optimizer.beta1,
        "beta2": optimizer.beta2,
        "dropout": own.dropout,
    }


SYNTHESIZER = Synthesizer(
    name="chatziagapi",
    paper="Chatziagapi et al., Interspeech 2019",
    about="The earlier GAN: an autoencoder of the emotional speech alone, latents from a Gaussian of each emotion.",
    released="the tuned decoder, and mean and covariance of each emotion's codes",
    Settings=Settings,
    spaces=frozenset({Patches}),
    cost=_cost,
    fit=_fit,
    shapes=_shapes,
    sampler=lambda weights, settings, space, classes, device: BaselineSampler(weights, settings.network, device),
    numbers=_numbers,
    stages=(AUTOENCODER, GAN),
    row="baseline",
)
