"""A model as a program that other tools run: torch.export, or ONNX where its packages are installed.

Owns the two forms and what goes in and comes out. Must not know how a model was trained, nor a command line.
"""

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from common.errors import UserError
from common.features.scaling import Scaling
from common.files import atomic_json, atomic_write
from common.networks.acceleration import Acceleration
from common.recognizers import Predictor
from common.recognizers.model import Model
from common.settings import RuntimeConfig
from common.space import SIDE
from common.spaces import Patches

FORMS = {"torch": ".pt2", "onnx": ".onnx"}
MOST = 32
"""Examples in one call at the most: methods cut what is longer, which a program cannot."""
INPUT, OUTPUT = "examples", "probabilities"


class Program(nn.Module):
    """Examples of a model's space -> probabilities of its labels; log-mels come unscaled."""

    def __init__(self, predictor: Predictor, scaling: Scaling | None) -> None:
        super().__init__()
        self._scaling = scaling
        # A predictor may have kernels of this machine, and then a way without them.
        self._numbers: Callable[[Tensor], Tensor] = getattr(predictor, "plainly", predictor.examples)

    def forward(self, examples: Tensor) -> Tensor:
        """[n, 128, 128] log-mels, or [n, size] vectors -> [n, classes]."""
        if self._scaling is not None:
            low, high = self._scaling.low, self._scaling.high
            examples = ((examples - low) * (2 / (high - low)) - 1).clamp(-1, 1)[:, None]
        return self._numbers(examples).softmax(dim=1)


def program_of(model: Model) -> Program:
    """On the processor and in single precision, as every machine has them."""
    machine = Acceleration.of(RuntimeConfig(device="cpu", precision="fp32"))
    return Program(model.predictor(machine), model.card.scaling).eval()


def export_model(model: Model, target: Path, form: str) -> Path:
    """Write a program of one form, and beside it in JSON what goes in and comes out; the answer is the program."""
    if form not in FORMS:
        raise UserError("no such form", where=form, remedy=f"choose one of {', '.join(FORMS)}")
    path = target if target.suffix == FORMS[form] else target.with_name(target.name + FORMS[form])
    if path.exists():
        raise UserError("it is there already", where=path, remedy="name another file")
    if form == "onnx":
        _require_onnx()
    shape = (SIDE, SIDE) if isinstance(model.card.space, Patches) else model.card.space.shape
    batch = torch.export.Dim("n", min=1, max=MOST)
    traced = torch.export.export(program_of(model), (torch.zeros(2, *shape),), dynamic_shapes=({0: batch},))
    atomic_write(path, _onnx(traced, batch) if form == "onnx" else _torch(traced))
    atomic_json(path.with_suffix(".json"), _about(model, shape))
    return path


def _torch(traced: torch.export.ExportedProgram) -> bytes:
    content = io.BytesIO()
    torch.export.save(traced, content)
    return content.getvalue()


def _onnx(traced: torch.export.ExportedProgram, batch: Any) -> bytes:
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells of packages that nothing here needs
    made = torch.onnx.export(traced, (), dynamo=True, input_names=[INPUT], output_names=[OUTPUT], verbose=False)
    assert made is not None  # noqa: S101 - for mypy: it is, where no file is named
    content: bytes = made.model_proto.SerializeToString()
    return content


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        remedy = "install the extra: pip install 'eyesoff[onnx]', or export to torch"
        raise UserError(f"ONNX needs {error.name}, which is not installed", remedy=remedy) from None


def _about(model: Model, shape: tuple[int, ...]) -> dict[str, Any]:
    card = model.card
    kind = "natural log of mel power, lowest band first" if isinstance(card.space, Patches) else "vectors of the space"
    if card.together > 1:
        kind += ", normalised by their session as eyesoff does it"
    told = {
        "input": {"name": INPUT, "shape": ["n", *shape], "most": MOST, "type": "float32", "values": kind},
        "output": {"name": OUTPUT, "shape": ["n", len(card.labels)], "type": "float32"},
    }
    return told | {"model": json.loads(card.model_dump_json(exclude={"sources"}))}
