"""Which tensors each message carries, as the methods that it names say, and how large it may be.

Owns the bridge from a message's settings to names and shapes. Must not know how bytes are checked.
"""

from common.weights import shapes_in
from common.wire.codes import Code, WireError
from common.wire.frame import HEADER_LIMIT
from common.wire.messages import AddToSum, Collect, Masked, Message, Release, Request, Score, Tune
from common.wire.terms import Tuning
from common.wire.weights import Shape, Shapes


def shapes_of(message: Message) -> dict[str, Shape]:
    """The names and shapes that this message must carry, no more and no fewer."""
    match message:
        case Tune(tuning=tuning, shipped=True):
            return base_shapes(tuning)
        case Release(card=card):
            return release_shapes(card.tuning)
        case Masked(summing=summing):
            return {"masked.words": (summing.bytes,)}
        case Score(scoring=scoring):
            shapes = scoring.method.shapes(scoring.own, scoring.space, len(scoring.labels))
            return {f"recognizer.{name}": tuple(shape) for name, shape in shapes.items()}
        case _:
            return {}


def base_shapes(tuning: Tuning) -> dict[str, Shape]:
    """The public networks that a tuning starts from."""
    shapes = tuning.method.base(tuning.own, len(tuning.labels))
    return {f"base.{name}": tuple(shape) for name, shape in shapes.items()}


def release_shapes(tuning: Tuning) -> dict[str, Shape]:
    """What comes of it, in the form that was asked for."""
    based = tuning.method.is_based(tuning.own, len(tuning.labels))
    shapes = whole_shapes(tuning)
    if misfit := tuning.form.misfit(shapes, based=based):
        raise WireError(Code.FORM, where=f"{tuning.synthesizer}: {misfit}", remedy="set release.rank otherwise")
    shapes = shapes_in(tuning.form, shapes, based=based)
    return {f"released.{name}": tuple(shape) for name, shape in shapes.items()}


def whole_shapes(tuning: Tuning) -> Shapes:
    """Of the weights that a sampler takes."""
    method = tuning.method
    shapes: Shapes = (method.sums if tuning.summed and method.sums else method).shapes(
        tuning.own, tuning.space, len(tuning.labels)
    )
    return shapes


def largest_reply(request: Request) -> int:
    """Bytes: the release or the masked numbers where they may come, and 64 KiB beside them."""
    if isinstance(request, AddToSum):
        return HEADER_LIMIT + request.summing.bytes
    if not isinstance(request, Tune | Collect):
        return HEADER_LIMIT
    return HEADER_LIMIT + release_bytes(request.tuning)


def release_bytes(tuning: Tuning) -> int:
    """Of a release's weights alone."""
    shapes = release_shapes(tuning)
    return sum(tuning.precision_of(name).size(shape) for name, shape in shapes.items())
