"""Checkpoints: a directory of safetensors and a JSON card, written whole or not at all, and read with suspicion.

Owns what is kept, for how long, and every reason to refuse one. Must not know what a stage computes. There is no pickle
here: a file that could run code is not opened.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from_bytes
from safetensors.torch import save as tensors_to_bytes
from torch import Tensor, nn

from common.errors import UserError, UserErrors
from common.files import atomic_json, atomic_write
from common.training.adam import Adam
from common.training.averaging import Average
from common.training.momentum import Momentum

FORMAT = 1
TENSORS = "tensors.safetensors"
CARD = "card.json"

Part = nn.Module | Adam | Momentum | Average
Tensors = dict[str, Tensor]
Card = dict[str, Any]


def save_tensors(folder: Path, tensors: Mapping[str, Tensor], card: Mapping[str, Any]) -> Card:
    """Write both files into `folder`; the card, which is returned, gains the hash of the tensors."""
    laid_out = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    content = tensors_to_bytes(laid_out)
    full = {"format": FORMAT, **card, "sha256": hashlib.sha256(content).hexdigest()}
    atomic_write(folder / TENSORS, content)
    atomic_json(folder / CARD, full)
    return full


def read_tensors(folder: Path) -> tuple[Tensors, Card]:
    """What `save_tensors` wrote; refuses what is truncated, altered, not finite or a pickle."""
    _refuse_file(folder)
    try:
        card: Card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        content = (folder / TENSORS).read_bytes()
    except FileNotFoundError as error:
        raise UserError(
            f"nothing that eyesoff stored: it lacks {Path(error.filename).name}",
            where=folder,
            remedy=f"name a folder that holds {TENSORS} and {CARD}",
        ) from None
    except (OSError, ValueError) as error:
        raise UserError("cannot read what is stored", where=folder, remedy=str(error)) from None
    if not isinstance(card, dict):
        raise UserError("cannot read what is stored", where=folder / CARD, remedy="it holds no card: copy it again")
    if card.get("format") != FORMAT:
        raise UserError(f"stored in format {card.get('format')}, not {FORMAT}", where=folder)
    if hashlib.sha256(content).hexdigest() != card.get("sha256"):
        raise UserError(
            "truncated or altered: its hash is not the card's",
            where=folder / TENSORS,
            remedy="delete it and resume from the one before it, or copy it again",
        )
    try:
        tensors: Tensors = tensors_from_bytes(content)
    except SafetensorError as error:
        raise UserError("not a safetensors file", where=folder / TENSORS, remedy=str(error)) from None
    _refuse_not_finite(tensors, folder)
    return tensors, card


def _refuse_file(path: Path) -> None:
    if path.is_dir():
        return
    if not path.exists():
        raise UserError("no such folder", where=path, remedy=f"name one that holds {TENSORS} and {CARD}")
    refuse_pickle(path)
    raise UserError("a file, not a folder", where=path, remedy=f"name one that holds {TENSORS} and {CARD}")


def refuse_pickle(path: Path) -> None:
    """A file that could run code; only its name and first bytes are looked at."""
    with path.open("rb") as stream:
        start = stream.read(2)
    if start == b"PK" or start[:1] == b"\x80" or path.suffix in {".pt", ".pth", ".ckpt", ".pkl"}:
        remedy = "a pickle can run any code when opened: convert it to safetensors where it was made"
        raise UserError("a pickle is not read", where=path, remedy=remedy)


def _refuse_not_finite(tensors: Mapping[str, Tensor], where: Path) -> None:
    bad = [name for name, value in tensors.items() if not torch.isfinite(value).all()]
    if bad:
        raise UserError(
            f"{len(bad)} tensor(s) hold values that are not finite, such as {bad[0]}",
            where=where,
            remedy="use an earlier checkpoint",
        )


def differences(stored: Any, wanted: Any, place: str = "") -> Iterable[str]:
    """The keys at which two pieces of plain data differ, one line each.

    >>> list(differences({"seed": 0, "a": {"b": 1}}, {"seed": 1, "a": {"b": 1}}))
    ['seed: 0 stored, 1 asked for']
    """
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping):
        for key in dict.fromkeys([*stored, *wanted]):
            here = f"{place}.{key}" if place else str(key)
            yield from differences(stored.get(key), wanted.get(key), here)
    elif stored != wanted:
        yield f"{place}: {stored!r} stored, {wanted!r} asked for"


def refuse_other_labels(card: Card, labels: Iterable[str], where: Path) -> None:
    """A one-hot means an emotion by its place alone, so another order is another language."""
    stored, wanted = card.get("labels"), list(labels)
    stored = stored if isinstance(stored, list) else []
    if stored != wanted:
        raise UserError(
            f"label order {', '.join(map(str, stored))} is not {', '.join(wanted)}",
            where=where,
            remedy="set corpus.emotions to the checkpoint's order",
        )


def refuse_other_shapes(tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], where: Path) -> None:
    """Weights of another width, or of another network, with the shapes that tell."""
    problems = [
        f"{name}: {_shape(tensors.get(name))} in the checkpoint, {_shape(expected.get(name))} in this network"
        for name in dict.fromkeys([*expected, *tensors])
        if _shape(tensors.get(name)) != _shape(expected.get(name))
    ]
    if problems:
        shown = problems[:4] + [f"... and {len(problems) - 4} more"] * (len(problems) > 4)
        raise UserErrors(f"{where}: weights of another network; set network.width to the checkpoint's", shown)


def _shape(value: Tensor | None) -> str:
    return "absent" if value is None else "x".join(map(str, value.shape)) or "number"


@dataclass(frozen=True)
class Snapshots:
    """The checkpoints of one run, a folder a stage: the last two of each.

    Args:
        folder: where they lie.
        identity: everything that defines the run's result; a snapshot of another is refused.
        labels: label order.
        scaling: the constants that made patches of log-mels, as plain data.
    """

    folder: Path
    identity: Mapping[str, Any]
    labels: tuple[str, ...]
    scaling: Mapping[str, float]

    def save(self, stage: str, step: int, parts: Mapping[str, Part]) -> Path:
        """Keep everything that a resumed run needs to go on from `step`."""
        tensors = {f"{part}/{name}": value for part in parts for name, value in parts[part].state_dict().items()}
        _refuse_not_finite(tensors, self.folder / stage)
        card = {
            "stage": stage,
            "step": step,
            "identity": self.identity,
            "labels": list(self.labels),
            "scaling": self.scaling,
        }
        final = self.folder / stage / f"{step:08d}"
        for left_by_a_kill in final.parent.glob(".[0-9]*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
        partial = final.with_name(f".{final.name}-new")
        save_tensors(partial, tensors, card)
        if final.exists():
            _discard(final)
        partial.replace(final)
        for old in self.stored(stage)[:-2]:
            _discard(old)
        return final

    def stored(self, stage: str) -> list[Path]:
        """This stage's checkpoints, oldest first."""
        return sorted(self.folder.glob(f"{stage}/[0-9]*"))

    def restore(self, stage: str, parts: Mapping[str, Part]) -> int:
        """Put the last snapshot of a stage back into its parts; the answer is the step to go on from."""
        stored = self.stored(stage)
        if not stored:
            return 0
        tensors, card = read_tensors(stored[-1])
        self.check(card, stored[-1])
        for name, part in parts.items():
            prefix = f"{name}/"
            own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            refuse_other_shapes(own, part.state_dict(), stored[-1])
            part.load_state_dict(own)
        return int(card["step"])

    def check(self, card: Card, where: Path) -> None:
        """Refuse a checkpoint of another run than this one."""
        if not {"identity", "scaling"} <= card.keys() or type(card.get("step")) is not int:
            raise UserError("altered checkpoint: its card lacks what a card has", where=where, remedy="delete it")
        refuse_other_labels(card, self.labels, where)
        problems = list(differences(card["identity"], json.loads(json.dumps(self.identity))))
        problems += differences(card["scaling"], dict(self.scaling), "scaling")
        if problems:
            remedy = "resume with its own, or choose another run directory"
            raise UserErrors(f"{where}: a checkpoint of another configuration; {remedy}", problems)


def _discard(folder: Path) -> None:
    """Out of sight first: what a kill leaves half deleted is no checkpoint."""
    shutil.rmtree(folder.replace(folder.with_name(f".{folder.name}-old")))
