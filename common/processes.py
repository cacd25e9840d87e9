"""Pieces of work that are too small to share a core's threads, done a core each.

Owns the processes. Must not know what the work is.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from common.cores import usable_cores
from common.errors import UserError
from common.networks.acceleration import Acceleration
from common.settings import RuntimeConfig

Piece = TypeVar("Piece")


def side_by_side(
    work: Callable[[Piece, RuntimeConfig], object], pieces: Sequence[Piece], runtime: RuntimeConfig, *, of: int
) -> Iterator[Piece]:
    """Do every piece, and tell of each when it is done.

    As many at once as there are cores, in processes of one thread each, to which work and pieces are sent; in turn and
    here where there is one thread, and on a GPU, which has its own ways to be busy. `of` is how many there are in all,
    those included that were done before: a single one has every thread, and so its sums another order, but a last one
    that a kill left over must come out as it would have beside the others.
    """
    cores = runtime.threads or usable_cores()
    if of < 2 or cores < 2 or Acceleration.of(runtime).device.type != "cpu":
        for piece in pieces:
            _entered(work, piece, runtime)
            yield piece
        return
    alone = runtime.model_copy(update={"threads": 1})
    context, others = multiprocessing.get_context("spawn"), set(multiprocessing.active_children())
    with ProcessPoolExecutor(min(len(pieces), cores) or 1, context, _end_with_parent) as processes:
        begun = {processes.submit(_entered, work, piece, alone): piece for piece in pieces}
        try:
            for finished in as_completed(begun):
                finished.result()
                yield begun[finished]
        except BrokenProcessPool:
            what = "a process that trains was killed, perhaps for want of memory"
            raise UserError(what, remedy="lower runtime.threads; 1 needs no other process") from None
        except BaseException:
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()  # else leaving this block, and then this process, would wait for its piece
            processes.shutdown(wait=False, cancel_futures=True)
            raise


def _entered(work: Callable[[Piece, RuntimeConfig], object], piece: Piece, runtime: RuntimeConfig) -> None:
    with Acceleration.of(runtime).entered():
        work(piece, runtime)


def _end_with_parent() -> None:
    """A piece that outlived whoever asked for it would go on beside the one who asks again."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
