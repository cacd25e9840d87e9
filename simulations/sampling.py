"""What a generator has to show: spectrograms that can be read, seen and heard.

Owns what is drawn and the files that come out. Must not know a command line, nor how a generator is opened.

A latent depends on the seed and the emotion alone, so the angry samples are the same with and without the others.
"""

import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from safetensors.numpy import save as arrays_to_bytes
from torch import Tensor

from common.errors import UserError
from common.features.inversion import Inversion
from common.features.patches import UNLABELLED
from common.files import atomic_write
from common.seeds import torch_stream
from common.space import SAMPLE_RATE
from common.version import VERSION
from server.generators import OpenGenerator, Origin
from simulations.pictures import draw_spectrograms
from simulations.progress import Counting

UNCONDITIONED = "unconditioned"
SHOWN = 8
"""Rows and columns of a picture at the most."""
HEARD = 64
"""Sounds at the most: nobody listens to more, and each takes a second or two."""


@dataclass(frozen=True)
class Order:
    """What is asked of a generator.

    Args:
        number: samples of each emotion.
        seed: of the latents.
        emotion: the only one, or None for all.
        paired: every latent under every emotion.
        latent_scale: standard deviation of the latents.
    """

    number: int
    seed: int = 0
    emotion: str | None = None
    paired: bool = False
    latent_scale: float = 1.0


@dataclass(frozen=True)
class Samples:
    """Log-mels [n, mels, frames], the lowest band first, and labels [n], -1 where no emotion was asked for.

    Emotion after emotion; or, where they are paired, latent after latent with all its emotions.
    """

    order: Order
    origin: Origin
    log_mels: NDArray[np.float32]
    labels: NDArray[np.int64]

    def by_emotion(self) -> dict[str, NDArray[np.float32]]:
        """The log-mels of each emotion that was drawn, in label order."""
        emotions = (*self.origin.labels, UNCONDITIONED)
        return {emotions[label]: self.log_mels[self.labels == label] for label in np.unique(self.labels)}

    def path(self, folder: Path, what: str, suffix: str) -> Path:
        """A file's name tells the generator, the seed and what is in it."""
        order = self.order
        scale = "" if order.latent_scale == 1 else f"-scale{order.latent_scale:g}"
        return folder / f"{self.origin.name}-seed{order.seed}{scale}{'-paired' * order.paired}-{what}{suffix}"

    def path_of_all(self, folder: Path, suffix: str) -> Path:
        """The name of what holds every sample."""
        emotions = list(self.by_emotion())
        return self.path(folder, emotions[0] if len(emotions) == 1 else "all", suffix)


def draw(generator: OpenGenerator, order: Order) -> Samples:
    """The samples that were ordered: the same bits for the same order."""
    origin = generator.origin
    drawn = [_drawn(generator, order, label, name) for label, name in _classes(generator, order).items()]
    labels = torch.tensor([label for label, _ in drawn]).repeat_interleave(order.number)
    patches = torch.cat([patches for _, patches in drawn])
    if order.paired:  # latent after latent, with all its emotions
        turns = torch.arange(len(labels)).view(len(drawn), order.number).T.flatten()
        patches, labels = patches[turns], labels[turns]
    return Samples(order, origin, origin.scaling.invert(patches[:, 0]).numpy(), labels.numpy())


def _classes(generator: OpenGenerator, order: Order) -> dict[int, str]:
    """Labels and names of the emotions that are ordered, or the one label of none."""
    emotions, name = generator.origin.labels, generator.origin.name
    if not generator.tuned:
        if order.emotion or order.paired:
            remedy = "leave out --emotion and --paired, or name a release in a bank"
            raise UserError("pre-trained and not tuned: it knows no emotion yet", where=name, remedy=remedy)
        return {UNLABELLED: UNCONDITIONED}
    if order.emotion is None:
        return {number: emotion for number, emotion in enumerate(emotions) if emotion in generator.known}
    if order.paired:
        raise UserError("--paired shows every emotion", remedy="leave out --emotion")
    if order.emotion not in generator.known:
        remedy = f"{name} knows {', '.join(generator.known)}"
        raise UserError("no such emotion", where=order.emotion, remedy=remedy)
    return {emotions.index(order.emotion): order.emotion}


def _drawn(generator: OpenGenerator, order: Order, label: int, name: str) -> tuple[int, Tensor]:
    """Patches of one emotion; the same stream shows the same latents under each."""
    stream = torch_stream(order.seed, "sample", "paired" if order.paired else name)
    return label, generator.sampler.sample(torch.full((order.number,), label), stream, order.latent_scale)


def save_arrays(samples: Samples, folder: Path) -> Path:
    """Log-mels and labels as safetensors; all that gives the numbers a meaning is JSON under the key `eyesoff`."""
    origin = samples.origin
    about = {
        "version": VERSION,
        "source": {"name": origin.name, "sha256": origin.sha256},
        "labels": origin.labels,
        "scaling": asdict(origin.scaling),
        "features": origin.features.model_dump(mode="json"),
        **asdict(samples.order),
    }
    arrays: dict[str, NDArray[Any]] = {"patches": np.ascontiguousarray(samples.log_mels), "labels": samples.labels}
    path = samples.path_of_all(folder, ".safetensors")
    # One key, for safetensors writes several in another order every time.
    atomic_write(path, arrays_to_bytes(arrays, {"eyesoff": json.dumps(about)}))
    return path


def save_sheet(samples: Samples, folder: Path) -> Path:
    """The first samples as a picture: an emotion a row, or a latent a row where they are paired."""
    rows, columns = _laid_out(samples)
    order = samples.order
    widened = "" if order.latent_scale == 1 else f", latents scaled by {order.latent_scale:g}"
    path = samples.path_of_all(folder, ".png")
    draw_spectrograms(
        path, rows, columns, samples.origin.features, f"{samples.origin.name}, seed {order.seed}{widened}"
    )
    return path


def _laid_out(samples: Samples) -> tuple[dict[str, Sequence[NDArray[np.floating]]], list[str]]:
    """Rows by name, and what stands above their columns."""
    drawn = samples.by_emotion()
    shown = min(SHOWN, samples.order.number)
    if samples.order.paired:
        latents = samples.log_mels.reshape(-1, len(drawn), *samples.log_mels.shape[1:])
        return {f"latent {index + 1}": list(latents[index]) for index in range(shown)}, list(drawn)
    if len(drawn) > 1:
        numbers = [str(1 + index) for index in range(shown)]
        return {name: list(log_mels[:shown]) for name, log_mels in drawn.items()}, numbers
    ((name, log_mels),) = drawn.items()
    columns = min(SHOWN, math.ceil(math.sqrt(len(log_mels))))
    rows: dict[str, Sequence[NDArray[np.floating]]] = {}
    for start in range(0, min(len(log_mels), SHOWN * columns), columns):
        row = list(log_mels[start : start + columns])
        to = f" to {start + len(row)}" if len(row) > 1 else ""
        rows[f"{name} {start + 1}{to}"] = row
    return rows, [""] * columns


def save_sounds(samples: Samples, folder: Path, progress: Counting) -> list[Path]:
    """The first samples of each emotion as 16-bit wav files, `HEARD` in all at the most."""
    drawn = samples.by_emotion()
    heard = max(1, HEARD // len(drawn))
    wanted = [
        (samples.path(folder, f"{name}-{index + 1:03d}", ".wav"), log_mel)
        for name, log_mels in drawn.items()
        for index, log_mel in enumerate(log_mels[:heard])
    ]
    invert = Inversion(samples.origin.features)
    for done, (path, log_mel) in enumerate(wanted):
        content = io.BytesIO()
        waveform = invert(torch.from_numpy(log_mel)).numpy()
        soundfile.write(content, waveform, SAMPLE_RATE, format="WAV", subtype="PCM_16")
        atomic_write(path, content.getvalue())
        progress(done + 1, len(wanted))
    return [path for path, _ in wanted]
