"""A synthesizer: one template for each emotion, and noise around it."""

import torch
from pydantic import Field
from torch import Tensor

from common.settings import Section
from common.spaces import Patches, Space, Vectors
from common.synthesizers.synthesizer import Cost, Fitting, Shapes, Synthesizer, Weights


class TemplatesConfig(Section):
    """How templates are made, and how far samples lie from them."""

    batches: int = Field(4, ge=1, le=1000, description="of examples over which a template is the mean")
    noise: float = Field(0.1, ge=0, le=1, description="deviation of the noise around a template")


class Settings(Section):
    """Its own section, which a configuration spells [templates]."""

    templates: TemplatesConfig = TemplatesConfig()


class TemplateSampler:
    """Templates and noise."""

    def __init__(self, weights: Weights, noise: float) -> None:
        self._templates, self._noise = weights["templates"].float(), noise

    def sample(self, wanted: Tensor, stream: torch.Generator, latent_scale: float = 1.0) -> Tensor:
        """One example for each wanted emotion."""
        chosen = self._templates[wanted]
        return chosen + latent_scale * self._noise * torch.randn(chosen.shape, generator=stream)


def fit(fitting: Fitting, settings: Settings) -> dict[str, Tensor]:
    """The mean of each emotion's examples."""
    source = fitting.examples(True)
    drawn = [source.batch(step, 32, "templates") for step in range(settings.templates.batches)]
    values, labels = torch.cat([one.values for one in drawn]), torch.cat([one.labels for one in drawn])
    templates = torch.zeros(fitting.classes, *fitting.space.shape)
    for emotion in labels.unique().tolist():
        templates[emotion] = values[labels == emotion].float().mean(dim=0)
    return {"templates": templates}


def shapes(settings: Settings, space: Space, classes: int) -> Shapes:
    """Of what is released."""
    return {"templates": (classes, *space.shape)}


SYNTHESIZER = Synthesizer(
    name="templates",
    paper="none: an example",
    about="The mean example of each emotion, with noise around it.",
    released="the mean of each emotion's examples",
    Settings=Settings,
    spaces=frozenset({Patches, Vectors}),
    cost=lambda settings, space, classes: Cost(settings.templates.batches, 2**20),
    fit=fit,
    shapes=shapes,
    sampler=lambda weights, settings, space, classes, device: TemplateSampler(weights, settings.templates.noise),
)
