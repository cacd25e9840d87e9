"""A bank made smaller: each release cut to low rank and 8 bits, into a bank of its own.

Owns what a cut release is told to be. Must not know how weights are cut.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from torch import Tensor

from common.errors import UserError
from common.files import atomic_json
from common.networks.acceleration import Acceleration
from common.networks.memory import require_memory
from common.release import Rank
from common.seeds import derive_seed
from common.settings import RuntimeConfig
from common.training.phases import Surroundings
from common.training.pretrained import learned_in
from common.wire import (
    Precision,
    Release,
    Tuning,
    distilled_weights,
    released_weights,
    restored_weights,
)
from common.wire.schema import whole_shapes
from server.bank import INDEX, Bank, Banked
from server.bases import SUFFIX, name_of, read
from server.export import copied, index_of, unfinished_folder

PARTS = "bank"
"""Of what is unfinished."""


def shrink(
    bank: Bank,
    target: Path,
    rank: Rank,
    base: Path | None,
    told: Callable[[int, int], None] = lambda done, of: None,
    *,
    distil: bool = False,
) -> tuple[tuple[Banked, ...], tuple[Banked, ...]]:
    """Every release of a bank in a new one, in 8 bits and of at most this rank: what there was, and what there is.

    Where it is asked for, what a rank keeps is distilled of the whole by whatever can be. All chance is seeded by the
    release: the same bank gives the same one again. Asked again after a kill, it goes on with the next release.
    """
    target = Path(os.path.normpath(target))
    before = bank.banked()
    if not before:
        raise UserError("nothing to shrink", where=bank.folder)
    tunings = [smaller(one.card.tuning, rank, distil=distil) for one in before]
    networks = {} if base is None else learned_in(base)[0]
    if base is not None and name_of(networks) not in {one.weights for one in tunings}:
        raise UserError(
            "no release began with these networks", where=base, remedy="name the public networks of its runs"
        )
    with unfinished_folder(target) as folder:
        made = Bank(folder / PARTS)
        done = _done(made, {one.name: tuning for one, tuning in zip(before, tunings, strict=True)})
        for number, (one, tuning) in enumerate(zip(before, tunings, strict=True), start=1):
            if one.name not in done:
                made.add(_cut(bank, one, tuning, networks, made), cut_from=one.name)
            told(number, len(before))
        after = made.banked()
        atomic_json(made.folder / INDEX, {"settings": index_of(bank, before)["settings"]})
        copied(made, after, target)
    return before, after


def _done(made: Bank, wanted: Mapping[str, Tuning]) -> set[str]:
    """Which releases an earlier call made smaller, each looked at; what is not whole goes, to be made again."""
    for path in made.folder.glob(f"*{SUFFIX}"):
        try:
            read(path)
        except UserError:
            path.unlink()
    for finding in made.verify():
        made.put_aside(finding)
    made.prune()
    found = {one.cut_from: one for one in made.banked()}
    ranks = {tuning.rank for tuning in wanted.values()}
    for name, one in found.items():
        tuning = one.card.tuning
        if wanted.get(name, tuning) != tuning or tuning.rank not in ranks:
            remedy = "give the command that began it, or delete that folder"
            raise UserError("a bank of another form is unfinished here", where=made.folder.parent, remedy=remedy)
    for gone in found.keys() - wanted.keys():  # the bank has it no longer; another of its session may be there by now
        made.remove(found[gone].name)
    return found.keys() & wanted.keys()


def smaller(tuning: Tuning, rank: Rank, *, distil: bool) -> Tuning:
    """The same tuning, as if it had been asked for in this form; refused where its synthesizer has none such."""
    wanted = distil and rank != "full" and tuning.method.distil is not None
    distilled = wanted or _is_distilled(tuning, rank)
    asked = tuning.model_copy(update={"rank": rank, "precision": Precision.INT8, "distilled": distilled})
    based = tuning.method.is_based(tuning.own, len(tuning.labels))
    if misfit := asked.form.misfit(whole_shapes(asked), based=based):
        remedy = "give a smaller --rank" if based else "leave out --rank"
        raise UserError(f"{tuning.synthesizer}: {misfit}", remedy=remedy)
    return asked


def _is_distilled(tuning: Tuning, rank: Rank) -> bool:
    """Whether nothing but rounding is left to do."""
    return tuning.distilled and tuning.rank == rank


def _cut(bank: Bank, one: Banked, tuning: Tuning, networks: Mapping[str, Tensor], made: Bank) -> Release:
    release = bank.load(one)
    weights = restored_weights(one.card.tuning, release.released, bank.base(one.card.tuning))
    base = networks if networks and name_of(networks) == tuning.weights else bank.base(tuning)
    if base:
        made.keep_base(base)
    seed = derive_seed(one.sha256)
    if not _is_distilled(one.card.tuning, tuning.rank):
        around = Surroundings(Acceleration.of(RuntimeConfig()))
        if tuning.distilled:  # which takes less than the tuning did, in batches like its own
            needed = tuning.method.cost(tuning.own, tuning.space, len(tuning.labels)).bytes
            require_memory("distilling a release", needed, around.acceleration.device)
        weights = dict(distilled_weights(tuning, weights, base, one.card.known, seed, around))
    left = released_weights(tuning, weights, base, seed)
    return Release(card=one.card.model_copy(update={"tuning": tuning}), released=left)
