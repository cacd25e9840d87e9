"""A bank made smaller: each release cut to low rank and 8 bits, into a bank of its own.

Owns what a cut release is told to be. Must not know how weights are cut.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from common.errors import UserError
from common.files import atomic_json
from common.release import Rank
from common.seeds import derive_seed
from common.training.pretrained import learned_in
from common.wire import Precision, Release, Tuning, release_shapes, released_weights, restored_weights
from server.bank import INDEX, Bank, Banked
from server.bases import name_of
from server.export import growing_folder, index_of, refuse_present


def shrink(
    bank: Bank, target: Path, rank: Rank, base: Path | None, told: Callable[[int, int], None] = lambda done, of: None
) -> tuple[tuple[Banked, ...], tuple[Banked, ...]]:
    """Every release of a bank in a new one, in 8 bits and of at most this rank: what there was, and what there is.

    Rounding is by chance, seeded by the release: the same bank gives the same one again.
    """
    refuse_present(target)
    before = bank.banked()
    if not before:
        raise UserError("nothing to shrink", where=bank.folder)
    tunings = [smaller(one.card.tuning, rank) for one in before]
    networks = {} if base is None else learned_in(base)[0]
    if base is not None and name_of(networks) not in {one.weights for one in tunings}:
        raise UserError(
            "no release began with these networks", where=base, remedy="name the public networks of its runs"
        )
    with growing_folder(target) as growing:
        made = Bank(growing)
        for number, (one, tuning) in enumerate(zip(before, tunings, strict=True), start=1):
            made.add(_cut(bank, one, tuning, networks, made), cut_from=one.name)
            told(number, len(before))
        after = made.banked()
        atomic_json(growing / INDEX, {**index_of(made, after), "settings": index_of(bank, before)["settings"]})
    return before, after


def smaller(tuning: Tuning, rank: Rank) -> Tuning:
    """The same tuning, as if it had been asked for in this form; refused where its synthesizer has none such."""
    inside = tuning.tuned_inside and (rank, "same") == (tuning.rank, tuning.kernel_rank)
    form = {"rank": rank, "kernel_rank": "same", "precision": Precision.INT8, "tuned_inside": inside}
    asked = tuning.model_copy(update=form)
    release_shapes(asked)
    return asked


def _cut(bank: Bank, one: Banked, tuning: Tuning, networks: Mapping[str, Tensor], made: Bank) -> Release:
    release = bank.load(one)
    weights = restored_weights(one.card.tuning, release.released, bank.base(one.card.tuning))
    base = networks if networks and name_of(networks) == tuning.weights else bank.base(tuning)
    if base:
        made.keep_base(base)
    left = released_weights(tuning, weights, base, derive_seed(one.sha256))
    return Release(card=one.card.model_copy(update={"tuning": tuning}), released=left)
