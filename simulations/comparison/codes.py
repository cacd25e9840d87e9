"""What a fitted encoder makes of a fold's speech and of samples: kept beside the fit, where the speech is.

Owns which examples are written down in codes. Must not know a synthesizer. An encoder itself is kept nowhere, and no
site keeps codes.
"""

import torch
from torch import Tensor

from common.corpora.manifest import Manifest
from common.seeds import torch_stream
from common.synthesizers import Sampler
from common.synthesizers.pool import given_numbers, turns
from common.training.checkpoint import save_tensors
from common.training.draws import everything
from common.training.reporters import Encode, Reporter
from simulations.comparison.job import Job

CODES = "codes"
FITTED, HELD_OUT, MADE = SIDES = ("training", "held out", "samples")
LABELS = "labels"
AN_EMOTION = 64
"""Samples of each emotion."""


class Encoder(Reporter):
    """Remembers the encoder of a fit, if it has one."""

    def __init__(self) -> None:
        self.encode: Encode | None = None

    def encoder(self, stage: str, encode: Encode) -> None:
        """The last one counts."""
        self.encode = encode


def keep_codes(job: Job, encode: Encode, sampler: Sampler) -> None:
    """Of what was fitted, of the speech that was left out, and of samples."""
    fold = job.setting.folds[job.unit.place]
    (numbers,) = given_numbers([fold.fitted.held], AN_EMOTION, job.config.corpus.classes)
    wanted = torch.from_numpy(turns(numbers))
    made = sampler.sample(wanted, torch_stream(job.unit.seed, job.unit.place, CODES))
    sides = {FITTED: _speech(job, fold.fitted), HELD_OUT: _speech(job, fold.test), MADE: (made, wanted)}
    kept = {side: encode(values) for side, (values, _) in sides.items()}
    kept |= {f"{side}/{LABELS}": labels for side, (_, labels) in sides.items()}
    save_tensors(job.folder / CODES, kept, {"what": f"codes of {job.unit}"})


def _speech(job: Job, part: Manifest) -> tuple[Tensor, Tensor]:
    whole = everything(job.setting.features.of(part).examples(job.setting.scaling, 0, balanced=False))
    return whole.values, whole.labels
