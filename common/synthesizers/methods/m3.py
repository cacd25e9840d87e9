"""M3 (Sahu et al.): codes are made from noise and a wanted emotion, and an auxiliary network reads it off the rows.

Where M1 and M2 draw codes from a mixture, a code generator makes them; rows are held to their emotion by the mutual
information of InfoGAN: an auxiliary network on the trunk of the rows' discriminator says which emotion was wanted. The
code generator and the decoder leave.

Owns the five steps in this form. Must not know where vectors come from. As printed, the auxiliary network shares the
trunk with the label at its input: it could read the answer, and would say nothing of the row. It is shown zeros there.

On training sessions of EMO-DB that were held out, 200 steps at twice the rates and half the width both read worse than
the defaults (one seed). More steps were not tried.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from common.networks.memory import dense_memory
from common.networks.perceptron import Perceptron
from common.settings import OptimizerConfig, Positive, Section
from common.spaces import Space, Vectors
from common.synthesizers.methods.adan import of_two
from common.synthesizers.methods.m1 import (
    RELUCTANT,
    WIDTHS,
    AutoencoderConfig,
    descent,
    labelled,
    taken_for_zero,
    widths,
)
from common.synthesizers.synthesizer import Cost, Fitting, Sampler, Shapes, Synthesizer, Weights
from common.synthesizers.vectors import (
    ChainSampler,
    Material,
    numbers_of,
    one_hot,
    one_of_those,
    release_of,
    released_shapes,
)
from common.training.draws import Draw, normal
from common.training.phases import Game, Phase, play
from common.training.recording import Metrics

STAGE = "m3"
AUTOENCODER_WIDTHS = 1000, 700, 300
CODE_WIDTH, AUXILIARY_WIDTH = 140, 128


class M3Config(AutoencoderConfig):
    """Of M3 alone."""

    code: Positive = Field(256, le=4096, description="numbers in a code")
    noise: Positive = Field(20, le=4096, description="numbers in a latent")
    information: float = Field(1.0, ge=0, le=100, description="weight of the auxiliary network's word, lambda")


class Settings(Section):
    """Of Adam, and of the games."""

    optimizer: OptimizerConfig = OptimizerConfig()
    m3: M3Config = M3Config()


@dataclass(frozen=True)
class Networks:
    """Of the paper's Table 1, at a share of its width."""

    encoder: Perceptron
    decoder: Perceptron
    code_generator: Perceptron
    of_codes: Perceptron
    trunk: Perceptron
    of_rows: Perceptron
    auxiliary: Perceptron

    @classmethod
    def fresh(cls, size: int, classes: int, own: M3Config, seed: Callable[[str], int] = lambda name: 0) -> "Networks":
        """Untrained."""
        down, body = widths(own, AUTOENCODER_WIDTHS), widths(own, WIDTHS)
        between, beside = widths(own, (CODE_WIDTH, AUXILIARY_WIDTH))
        return cls(
            encoder=Perceptron((size, *down, own.code), seed=seed("encoder")),
            decoder=Perceptron((own.code, *reversed(down), size), seed=seed("decoder")),
            code_generator=Perceptron((own.noise + classes, between, own.code), seed=seed("code generator")),
            of_codes=Perceptron((own.code + classes, *body, 1), seed=seed("of codes")),
            trunk=Perceptron((size + classes, *body), seed=seed("trunk")),
            of_rows=Perceptron((body[-1], 1), seed=seed("of rows")),
            auxiliary=Perceptron((body[-1], beside, classes), seed=seed("auxiliary")),
        )

    def released(self) -> dict[str, Perceptron]:
        """Those that leave, in the order in which a sample passes through them."""
        return {"code_generator": self.code_generator, "decoder": self.decoder}

    def real(self, rows: Tensor, labels: Tensor, classes: int) -> Tensor:
        """The rows' discriminator: trunk and head."""
        outputs: Tensor = self.of_rows(functional.relu(labelled(self.trunk, rows, labels, classes)))
        return outputs

    def emotion(self, rows: Tensor, classes: int) -> Tensor:
        """The auxiliary network on the same trunk, with zeros where the label was."""
        without = functional.pad(rows, (0, classes))
        outputs: Tensor = self.auxiliary(functional.relu(self.trunk(without)))
        return outputs


def _train(material: Material, own: M3Config, optimizer: OptimizerConfig) -> Networks:
    classes = material.fitting.classes
    nets = Networks.fresh(material.rows.shape[1], classes, own, lambda name: material.seed(STAGE, name))
    for network in vars(nets).values():
        network.to(material.device)
    by = descent(own, optimizer)

    def made(draw: Draw) -> Tensor:
        codes: Tensor = nets.code_generator(torch.cat((draw["latents"], one_hot(draw["wanted"], classes)), dim=1))
        return codes

    def of_autoencoder(draw: Draw, nothing: Tensor) -> Metrics:
        rows = material.rows[draw["values"]]
        return {"loss": functional.mse_loss(nets.decoder(nets.encoder(rows)), rows)}

    def of_codes(draw: Draw, nothing: Tensor) -> Metrics:
        """(5): one for codes, zero for those that were made."""
        with torch.no_grad():
            codes, others = nets.encoder(material.rows[draw["values"]]), made(draw)
        told = labelled(nets.of_codes, codes, draw["labels"], classes)
        return {"loss": of_two(told, labelled(nets.of_codes, others, draw["wanted"], classes))}

    def of_encoder(draw: Draw, nothing: Tensor) -> Metrics:
        codes = nets.encoder(material.rows[draw["values"]])
        return {"loss": taken_for_zero(labelled(nets.of_codes, codes, draw["labels"], classes))}

    def of_judge(draw: Draw, nothing: Tensor) -> Metrics:
        """(7): one for made rows, zero for the real."""
        with torch.no_grad():
            rows = nets.decoder(made(draw))
        told = nets.real(rows, draw["wanted"], classes)
        return {"loss": of_two(told, nets.real(material.rows[draw["values"]], draw["labels"], classes))}

    def of_maker(draw: Draw, nothing: Tensor) -> Metrics:
        """(9): taken for real, less lambda times Q, which is minus the cross-entropy of the auxiliary network."""
        rows = nets.decoder(made(draw))
        unread = functional.cross_entropy(nets.emotion(rows, classes), draw["wanted"])
        taken = taken_for_zero(nets.real(rows, draw["wanted"], classes))
        return {"loss": taken + own.information * unread, "unread": unread}

    maker = [nets.code_generator, nets.decoder, nets.auxiliary]
    phases = [
        Phase("autoencoder", by([nets.encoder, nets.decoder], own.autoencoder_rate), of_autoencoder),
        Phase("codes", by([nets.of_codes], own.code_rate), of_codes),
        Phase("encoder", by([nets.encoder], own.code_rate), of_encoder),
        Phase("rows", by([nets.trunk, nets.of_rows], own.discriminator_rate), of_judge, every=RELUCTANT),
        Phase("decoder", by(maker, own.decoder_rate), of_maker),
    ]
    chances = {"latents": normal(own.noise), "wanted": one_of_those(material.labels)}
    draw = material.dealer(STAGE, own.batch, chances).draw
    game = Game(STAGE, vars(nets), draw, lambda draw: draw["latents"], phases, replayable=False)
    play(game, own.iterations, material.fitting.around)
    material.tell_encoder(STAGE, nets.encoder)
    return nets


def _fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    material = Material.of(fitting, STAGE)
    return release_of(_train(material, settings.m3, settings.optimizer).released(), material.standard)


def _sampler(weights: Weights, settings: Settings, space: Space, classes: int, device: torch.device) -> Sampler:
    own = settings.m3
    networks = Networks.fresh(space.shape[0], classes, own).released()

    def latent(rows: Tensor, wanted: Tensor) -> Tensor:
        return torch.cat((rows, one_hot(wanted, classes)), dim=1)

    return ChainSampler(weights, networks, latent, own.noise, device)


def _shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    return released_shapes(lambda: Networks.fresh(space.shape[0], classes, settings.m3).released(), space)


def _cost(settings: Settings, space: Space, classes: int) -> Cost:
    own = settings.m3
    with torch.device("meta"):
        networks = vars(Networks.fresh(space.shape[0], classes, own)).values()
    return Cost(own.iterations, dense_memory(list(networks), 4 * own.batch * (4 * sum(WIDTHS) + 2 * space.shape[0])))


SYNTHESIZER = Synthesizer(
    name=STAGE,
    paper="Sahu et al., 2018 and 2020",
    about="An adversarial autoencoder of vectors whose codes are made from noise and the wanted emotion.",
    released="the generator of codes and the decoder of the autoencoder",
    Settings=Settings,
    spaces=frozenset({Vectors}),
    cost=_cost,
    fit=_fit,
    shapes=_shapes,
    sampler=_sampler,
    numbers=lambda settings: numbers_of(settings.m3, settings.optimizer),
    stages=(STAGE,),
)
