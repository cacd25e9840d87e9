"""A trained recognizer as a folder that needs nothing else: weights, what gives them a meaning, and a page for people.

Owns the folder's content, its version, and every reason not to open one. Must not know how the recognizer was trained,
nor who is listened to.

    tensors.safetensors   the weights
    card.json             method, settings, labels, space, features, scaling, what it was trained on, scores
    README.md             the card for people
    found/                what a predictor would find anew in the weights each time; a folder without it is one as well
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from common.errors import UserError, UserErrors
from common.features.vectors import space_of_vectors
from common.files import atomic_json, atomic_write
from common.networks.acceleration import Acceleration
from common.recognizers import Predictor, Recognizer, recognizer
from common.recognizers.card import FORMAT, ModelCard, extractor_of, page_of
from common.spaces import Patches
from common.training.checkpoint import CARD, TENSORS, Card, Tensors, read_tensors, save_tensors

PAGE, FOUND = "README.md", "found"


@dataclass(frozen=True)
class Model:
    """A recognizer that can be used."""

    card: ModelCard
    weights: Tensors
    found: Tensors = field(default_factory=dict)
    """What is known of the weights from before."""

    @property
    def method(self) -> Recognizer[Any]:
        """The recognizer's kind."""
        return recognizer(self.card.recognizer)

    @property
    def settings(self) -> Any:
        """As its method reads them."""
        return self.method.Settings.model_validate(self.card.settings)

    def predictor(self, acceleration: Acceleration) -> Predictor:
        """Ready to be tried, on a machine."""
        rest, knowing = (self.settings, self.card.space, len(self.card.labels), acceleration), self.method.knowing
        if knowing and self.found:
            return knowing(self.found, self.weights, *rest)
        made: Predictor = self.method.predictor(self.weights, *rest)
        return made


def save_model(folder: Path, model: Model, **also: Any) -> Card:
    """Write a model; what stands in `also` is kept in its card for whoever wrote it."""
    card = save_tensors(folder, model.weights, {**also, "model": model.card.model_dump(mode="json")})
    atomic_write(folder / PAGE, page_of(model.card).encode())
    if found := model.method.found(model.weights, model.settings, model.card.space, len(model.card.labels)):
        save_tensors(folder / FOUND, found, {"weights": card["sha256"]})
    return card


def load_model(folder: Path) -> Model:
    """A model that this installation can use, or the reason why it cannot."""
    _refuse_no_model(folder)
    weights, plain = read_tensors(folder)
    card = read_card(folder, plain)
    model = Model(card, weights)
    wanted = model.method.shapes(model.settings, card.space, len(card.labels))
    problems = [
        f"{name}: {tuple(weights[name].shape) if name in weights else 'absent'}, not {wanted.get(name, 'wanted')}"
        for name in sorted({*weights, *wanted})
        if name not in weights or tuple(weights[name].shape) != wanted.get(name)
    ]
    if problems:
        raise UserErrors(f"{folder}: weights of another model than its card tells; copy the folder again", problems)
    return replace(model, found=_found(folder / FOUND, plain["sha256"]))


def _found(folder: Path, weights: str) -> Tensors:
    """What was found in these very weights; nothing of what is not there or damaged, for it can be found again."""
    try:
        found, card = read_tensors(folder)
    except UserError:
        return {}
    return found if card.get("weights") == weights else {}


def read_card(folder: Path, plain: Mapping[str, Any]) -> ModelCard:
    """What a model's card tells, if this installation understands all of it."""
    told = plain.get("model")
    if not isinstance(told, dict):
        remedy = "name the folder `model` that `eyesoff bootstrap`, `simulate` or `compare` wrote"
        raise UserError("tensors, but not a model", where=folder, remedy=remedy)
    _refuse_another(folder, told, "format", FORMAT)
    method = recognizer(str(told.get("recognizer")))
    try:
        card = ModelCard.model_validate(told)
        method.Settings.model_validate(card.settings)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "card"
        what = f"the card of a model cannot be understood ({place}: {first['msg']})"
        raise UserError(what, where=folder / CARD, remedy="copy the folder again, or train it again") from None
    _refuse_another(folder, told, "extractor", extractor_of(card.space, card.vectors))
    patches = isinstance(card.space, Patches)
    fits = type(card.space) in method.spaces and (card.scaling is not None) == patches
    if not fits or not (patches or card.space == space_of_vectors(card.vectors)):
        what = f"the card of a model contradicts itself ({method.name} on {card.space.kind})"
        raise UserError(what, where=folder / CARD, remedy="copy the folder again, or train it again")
    return card


def _refuse_another(folder: Path, told: Mapping[str, Any], name: str, here: object) -> None:
    if told.get(name) != here:
        what = f"a model of another version ({name} {told.get(name)}, here {here})"
        remedy = f"eyesoff {told.get('eyesoff', '?')} wrote it: use that version, or train it again"
        raise UserError(what, where=folder, remedy=remedy)


def amend_model(folder: Path, **changes: Any) -> ModelCard:
    """Tell more of a model, such as its scores; its weights stay as they are."""
    _, plain = read_tensors(folder)
    card = read_card(folder, plain).model_copy(update=changes)
    atomic_json(folder / CARD, {**plain, "model": card.model_dump(mode="json")})
    atomic_write(folder / PAGE, page_of(card).encode())
    return card


def _refuse_no_model(folder: Path) -> None:
    """Say what is missing, and where a model lies nearby."""
    if folder.is_dir() and (folder / CARD).is_file() and (folder / TENSORS).is_file():
        return
    if nearby := sorted(folder.glob(f"**/model/{CARD}")) if folder.is_dir() else []:
        raise UserError("not a model, but it holds some", where=folder, remedy=f"name one, such as {nearby[0].parent}")
    remedy = "name the folder `model` that `eyesoff bootstrap`, `simulate` or `compare` wrote"
    if not folder.exists():
        raise UserError("no such model", where=folder, remedy=remedy)
    if not folder.is_dir():
        raise UserError("a model is a folder, not a file", where=folder, remedy=remedy)
    missing = [name for name in (TENSORS, CARD) if not (folder / name).is_file()]
    if len(missing) == 1:
        remedy = "copy the whole folder again"
    raise UserError(f"not a model: it lacks {' and '.join(missing)}", where=folder, remedy=remedy)
