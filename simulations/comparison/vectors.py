"""How good samples are where they are vectors: beside real ones, in the directions in which real speech varies most.

Owns what is drawn for that, the controls, and what is kept to be looked at. Must not know a measure's definition
(`common.scoring`).
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from common.corpora.manifest import Manifest
from common.features.patches import Batch
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.scoring import quality
from common.scoring.labelled import Labelled
from common.scoring.transfer import Side
from common.seeds import torch_stream
from common.spaces import Space
from common.synthesizers.pool import given_numbers, turns
from common.training.checkpoint import save_tensors
from common.training.draws import Labelled as Examples
from common.training.draws import everything
from common.training.standard import standard_for
from simulations.comparison.augmented import augmented, evenly
from simulations.comparison.job import Job
from simulations.comparison.measures import Compared, drawn_feature, side_of, vector_measures
from simulations.comparison.modes import STAYS_MARK
from simulations.comparison.recognizing import real_speech, sources_of
from simulations.comparison.sample_quality import AN_EMOTION, recognized
from simulations.comparison.store import QUALITY, SHOWN
from simulations.comparison.units import COPYING, NOISE

DIRECTIONS = 64


@dataclass(frozen=True)
class View:
    """The directions of real vectors that vary most, after each number has deviation 1."""

    mean: Tensor
    deviation: Tensor
    directions: Tensor

    @classmethod
    def of(cls, real: Tensor, space: Space) -> "View":
        """Of the training part of a fold."""
        standard = standard_for(space, real)
        zero, one = torch.zeros(real.shape[1]), torch.ones(real.shape[1])
        mean, deviation = (zero, one) if standard is None else (standard.mean, standard.deviation)
        scaled = (real - mean) / deviation
        count = min(DIRECTIONS, len(real) - 1, real.shape[1])
        _, _, directions = torch.linalg.svd(scaled - scaled.mean(dim=0), full_matrices=False)
        return cls(mean, deviation, directions[:count].T)

    def scaled(self, vectors: Tensor) -> Tensor:
        """Each number in deviations."""
        return (vectors - self.mean) / self.deviation

    def labelled(self, batch: Examples) -> Labelled:
        """The same of a whole batch, as measures take it."""
        return Labelled(self.scaled(batch.values).numpy(), batch.labels.numpy())

    def __call__(self, vectors: Tensor) -> Tensor:
        """[n, size] -> [n, directions]."""
        return self.scaled(vectors) @ self.directions


def measure_vectors(job: Job) -> None:
    """Measures, and where samples lie."""
    fold = job.setting.folds[job.unit.place]
    view = View.of(everything(real_speech(job)).values, job.setting.space)
    made = _samples(job, view)
    reference = real_speech(job).batch(0, len(made.labels), "reference")
    measured = asdict(quality(view(reference.values).numpy(), view(made.values).numpy()))
    fitted, unseen = (_side(job, part, view) for part in (fold.train, fold.test))
    compared = Compared(fitted, unseen, view.labelled(made), job.config.corpus.emotions, job.unit.seed)
    told = {"recognized": recognized(job, made.values, made.labels), **vector_measures(compared)}
    atomic_json(job.folder / QUALITY, measured | told)
    number = drawn_feature(job.setting.space.shape[0], job.unit.seed)
    shown = {"embeddings": view(made.values), "labels": made.labels, "feature": view.scaled(made.values)[:, number]}
    save_tensors(job.folder / SHOWN, shown, {"what": str(job.unit)})


def _side(job: Job, part: Manifest, view: View) -> Side:
    """All of a part of a fold, each utterance once, in the manifest's order."""
    whole = everything(job.setting.features.of(part).examples(job.setting.scaling, 0, balanced=False))
    return side_of(view.labelled(whole), [utterance.speaker for utterance in part.utterances])


def _samples(job: Job, view: View) -> Batch:
    classes = job.config.corpus.classes
    labels = torch.arange(classes).repeat(AN_EMOTION)
    if job.unit.subject == COPYING:
        copies = real_speech(job).batch(0, len(labels), COPYING)
        return Batch(copies.values, copies.labels)
    if job.unit.subject == NOISE:
        stream = torch_stream(job.unit.seed, job.unit.place, NOISE)
        noise = torch.randn(len(labels), len(view.mean), generator=stream)
        return Batch(noise * view.deviation + view.mean, labels)
    if job.unit.subject.endswith(STAYS_MARK):
        return augmented(job, job.unit.subject.removesuffix(STAYS_MARK), evenly(job, AN_EMOTION)).everything()
    sources = list(sources_of(job, Acceleration.of(job.config.runtime).device))
    values, wanted = [], []
    for source, numbers in zip(sources, given_numbers([s.known for s in sources], AN_EMOTION, classes), strict=True):
        if not any(numbers):
            continue
        wanted.append(torch.from_numpy(turns(numbers)))
        stream = torch_stream(source.seed, "quality")
        values.append(source.open().sample(wanted[-1], stream, job.config.sampling.latent_scale))
    return Batch(torch.cat(values), torch.cat(wanted))
