"""How good samples are: beside real patches in the pre-trained encoder's space, and by a recognizer of real speech.

Owns what is drawn for that, the controls, and what is kept to be looked at. Must not know a measure's definition
(`common.scoring.samples`).
"""

from collections.abc import Sequence
from dataclasses import asdict

import torch
from torch import Tensor

from common.errors import UserError
from common.files import atomic_json
from common.networks import Discriminator
from common.networks.acceleration import Acceleration
from common.scoring import Confusion, quality
from common.seeds import torch_stream
from common.space import SIDE
from common.synthesizers.pool import Source, given_numbers, turns
from common.training.checkpoint import save_tensors
from simulations.comparison.job import Job
from simulations.comparison.recognizing import load_recognizer, real_speech, sources_of
from simulations.comparison.store import QUALITY, SHOWN
from simulations.comparison.units import COPYING, NOISE

AN_EMOTION = 64
"""Samples of each emotion that are measured."""
LOOKED_AT, PAIRED = 8, 4
"""Samples of each emotion that are kept for the eye, and latents that are shown under every emotion."""
AT_ONCE = 64


def measure_patches(job: Job) -> None:
    """Measures, and a few samples with their embeddings."""
    device = Acceleration.of(job.config.runtime).device
    classes = job.config.corpus.classes
    labels = torch.arange(classes).repeat(AN_EMOTION)
    encoder = job.setting.pretrained.pair.discriminator
    reference = real_speech(job).batch(0, len(labels), "reference").values
    samples, labels, paired = _samples(job, labels, device)
    shown = look(encoder, samples, labels, paired)
    measured = asdict(quality(embed(encoder, reference).numpy(), shown["embeddings"].numpy()))
    atomic_json(job.folder / QUALITY, measured | {"recognized": recognized(job, samples, labels)})
    save_tensors(job.folder / SHOWN, shown, {"what": str(job.unit)})


def look(
    encoder: Discriminator | None, samples: Tensor, labels: Tensor, paired: Tensor | None = None
) -> dict[str, Tensor]:
    """What is kept of samples for the eye: a few of each emotion, and where all of them lie."""
    order = [number for emotion in range(int(labels.max()) + 1) for number in _first(labels, emotion)]
    shown = {"patches": samples[order, 0].half(), "patch_labels": labels[order]}
    if encoder is not None:
        shown |= {"embeddings": embed(encoder, samples), "labels": labels}
    return shown if paired is None else shown | {"paired": paired.half()}


def _samples(job: Job, labels: Tensor, device: torch.device) -> tuple[Tensor, Tensor, Tensor | None]:
    """Patches, their emotions, and where latents have a meaning the same ones under each emotion."""
    if job.unit.subject == COPYING:
        copies = real_speech(job).batch(0, len(labels), COPYING)
        return copies.values, copies.labels, None
    if job.unit.subject == NOISE:
        stream = torch_stream(job.unit.seed, job.unit.place, NOISE)
        return 2 * torch.rand(len(labels), 1, SIDE, SIDE, generator=stream) - 1, labels, None
    return drawn(list(sources_of(job, device)), job.config.corpus.classes, job.config.sampling.latent_scale)


def drawn(sources: Sequence[Source], classes: int, scale: float) -> tuple[Tensor, Tensor, Tensor]:
    """Samples of all sources alike, their emotions, and the same latents under each emotion."""
    if not sources:
        raise UserError("no generator to draw from")
    parts, wanted = list[Tensor](), list[Tensor]()
    for source, numbers in zip(sources, given_numbers([s.known for s in sources], AN_EMOTION, classes), strict=True):
        if any(numbers):
            wanted.append(torch.from_numpy(turns(numbers)))
            parts.append(source.open().sample(wanted[-1], torch_stream(source.seed, "quality"), scale))
    knowing = max(sources, key=lambda source: sum(source.known))
    return torch.cat(parts), torch.cat(wanted), _paired(knowing, classes, scale)


def _paired(source: Source, classes: int, scale: float) -> Tensor:
    """[latents, emotions, 128, 128]."""
    sampler = source.open()
    columns = [
        sampler.sample(torch.full((PAIRED,), emotion), torch_stream(source.seed, "paired"), scale)[:, 0]
        for emotion in range(classes)
    ]
    return torch.stack(columns, dim=1)


@torch.inference_mode()
def embed(encoder: Discriminator, patches: Tensor) -> Tensor:
    """[n, d] in the pre-trained encoder's space, on the CPU."""
    return torch.cat([encoder.embed(part).float() for part in patches.split(AT_ONCE)])


@torch.inference_mode()
def recognized(job: Job, samples: Tensor, labels: Tensor) -> float | None:
    """Macro F1 of the recognizer that saw real speech, on samples and what they were asked to be."""
    trained = [unit for unit in job.unit.needs if unit.kind == "train"]
    if not trained:
        return None
    predicted = load_recognizer(job, trained[0]).examples(samples).argmax(dim=1)
    return Confusion.of(job.config.corpus.emotions, labels.numpy(), predicted.numpy()).macro_f1


def _first(labels: Tensor, emotion: int) -> Sequence[int]:
    numbers: list[int] = (labels == emotion).nonzero().flatten()[:LOOKED_AT].tolist()
    return numbers
