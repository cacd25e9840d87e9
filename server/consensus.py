"""Samples in the ears of the others: a client's are judged by a recognizer trained on all other clients' samples.

Owns who judges whom, which samples stay, and their soft labels. Needs released generators and nothing else, so it works
when the clients are gone. Must not know where a release came from.

A generator that learnt an emotion badly says so by making samples that nobody else's recognizer hears as that emotion.
The fold's test session judges nobody: its generator is not among the sources.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from common.config import Config
from common.config.tree import hash_identity
from common.features.patches import Batch
from common.files import write_through
from common.networks import Discriminator
from common.seeds import derive_seed, numpy_stream, torch_stream
from common.training.checkpoint import Snapshots
from common.training.draws import Patches
from common.training.phases import Surroundings
from common.training.recognizer import train_recognizer
from common.training.reporters import Reporter
from server.pool import CHUNK, PATCH_BYTES, KeptPool, Source

JUDGES = "judges"
PATIENCE = 4
"""Times as many samples as are wanted are drawn before any will do."""
AT_ONCE = 64


@dataclass(frozen=True)
class SoftPool:
    """A pool whose labels are rows of probabilities, [samples, classes]."""

    pool: KeptPool
    targets: Tensor

    def batch(self, step: int, size: int, stream: str) -> Batch:
        """The samples of the pool's own batch."""
        numbers = numpy_stream(self.pool.seed, "pool", stream, step).integers(len(self.pool), size=size)
        return Batch(self.pool.take(numbers).patches, self.targets[torch.from_numpy(numbers)])


def judged_pool(folder: Path, sources: Sequence[Source], config: Config, around: Surroundings) -> Patches:
    """What `sampling.consensus` and `sampling.soft_labels` make of the sources' pool; one source has no others."""
    sampling, classes = config.sampling, config.network.classes
    pool = KeptPool.draw(folder, sources, sampling, classes, config.seed)
    if len(sources) < 2 or not (sampling.consensus or sampling.soft_labels):
        return pool
    drawing = [[source.seed, source.name] for source in sources]
    about = {"sources": drawing, "sampling": sampling.model_dump(mode="json"), "seed": config.seed}
    about |= {"recognizer": config.recognizer.model_dump(mode="json")}
    judged = folder / JUDGES / hash_identity(about)
    files, targets = [], []
    for number, source in enumerate(sources):
        file, rounds = judged / f"{number}.f16", pool.rounds[number]
        told = file.with_suffix(".npy")
        if not told.exists():
            judge = _judge(judged / str(number), pool, number, source, config, around)
            _keep(file, told, source, judge, rounds, config)
        files.append(file)
        targets.append(torch.from_numpy(np.load(told, allow_pickle=False)))
    kept = replace(pool, files=tuple(files))
    return SoftPool(kept, torch.cat(targets)) if sampling.soft_labels else kept


def _judge(
    folder: Path, pool: KeptPool, number: int, source: Source, config: Config, around: Surroundings
) -> Discriminator:
    """A recognizer that has heard everyone but this source."""
    others = [index for index in range(len(pool.files)) if index != number]
    files, rounds = tuple(pool.files[index] for index in others), tuple(pool.rounds[index] for index in others)
    identity = {"judge": hash_identity(config.identity()), "of": source.name}
    snapshots = Snapshots(folder, identity, config.network.emotions, {})
    seed = derive_seed(source.seed, "judge")
    quiet = replace(around, snapshots=snapshots, reporter=Reporter())
    return train_recognizer(replace(pool, files=files, rounds=rounds), config, seed, quiet)


def _keep(file: Path, told: Path, source: Source, judge: Discriminator, rounds: int, config: Config) -> None:
    """Write `rounds` samples of each emotion as a pool lays them out, and then what the judge thinks of each."""
    classes = config.network.classes
    targets = np.zeros((rounds * classes, classes), dtype=np.float32)

    def write(stream: BinaryIO) -> None:
        for place, patch, thought in _chosen(source, judge, rounds, config):
            stream.seek(place * PATCH_BYTES)
            stream.write(patch.numpy().data)
            targets[place] = thought

    write_through(file, write)
    write_through(told, lambda stream: np.save(stream, targets, allow_pickle=False))


def _chosen(source: Source, judge: Discriminator, rounds: int, config: Config) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Place in the file, patch and probabilities of each sample that stays, until all places are taken."""
    classes, sampling = config.network.classes, config.sampling
    sampler, found, drawn = source.open(), [0] * classes, 0
    while min(found) < rounds:
        wanted = torch.arange(drawn, drawn + CHUNK) % classes
        patches = sampler.sample(wanted, torch_stream(source.seed, "kept", drawn // CHUNK), sampling.latent_scale)
        thoughts = probabilities(judge, patches)
        heard = thoughts.argmax(dim=1) == wanted
        if not sampling.consensus or drawn >= PATIENCE * rounds * classes:
            heard[:] = True
        for index in heard.nonzero().flatten().tolist():
            emotion = int(wanted[index])
            if found[emotion] < rounds:
                yield found[emotion] * classes + emotion, patches[index].half(), thoughts[index]
                found[emotion] += 1
        drawn += CHUNK


@torch.inference_mode()
def probabilities(judge: Discriminator, patches: Tensor) -> Tensor:
    """What a recognizer takes each patch for, [n, classes], on the CPU."""
    device = next(judge.parameters()).device
    return torch.cat([judge(part.to(device)).float().softmax(dim=1).cpu() for part in patches.split(AT_ONCE)])
