"""Tunings that wait their turn: worked on one after another in the background, whoever waits for them or does not.

Owns the order, the worker's thread and which tunings failed. Must not know what a tuning does, nor who asked for it.
"""

import logging
import threading
from collections.abc import Callable

from client.tuning import TuningFolder
from common.errors import TooFew, UserError
from common.training.phases import Interrupted
from common.wire import Code, Refused

log = logging.getLogger(__name__)

Work = Callable[[TuningFolder, Callable[[], bool]], None]
"""Brings a tuning to its end, or raises `Interrupted` soon after it is told to stop."""


class TuningQueue:
    """First come, first served; the first is at work."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._changed = threading.Condition()
        self._folders: list[TuningFolder] = []
        self._failed: dict[TuningFolder, Code] = {}
        self._thread: threading.Thread | None = None
        self._stopping = False

    def add(self, folder: TuningFolder) -> None:
        """Queue a tuning, unless it is queued; one that failed is tried again."""
        with self._changed:
            self._failed.pop(folder, None)
            if folder not in self._folders:
                self._folders.append(folder)
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="tuning", daemon=True)
                self._thread.start()

    @property
    def folders(self) -> tuple[TuningFolder, ...]:
        """The one at work, then those that wait."""
        with self._changed:
            return tuple(self._folders)

    def failed(self, folder: TuningFolder) -> Code | None:
        """Why it came to nothing when it was last tried here, if it did."""
        with self._changed:
            return self._failed.get(folder)

    def wait(self, folder: TuningFolder, seconds: float) -> None:
        """Until the tuning has left the queue, the queue is stopped, or the time is over."""
        with self._changed:
            over = min(seconds, threading.TIMEOUT_MAX)
            self._changed.wait_for(lambda: self._stopping or folder not in self._folders, over)

    def stop(self, seconds: float) -> bool:
        """End the work after the step in hand; whether that came about in time."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return thread is None or not thread.is_alive()

    def _run(self) -> None:
        """The worker's thread: it ends with the queue, so that a keeper that is let go leaves none behind."""
        while (folder := self._next()) is not None:
            failure = self._failure_of(folder)
            with self._changed:
                self._folders.remove(folder)
                if failure is not None:
                    self._failed[folder] = failure
                self._changed.notify_all()

    def _next(self) -> TuningFolder | None:
        with self._changed:
            if self._folders and not self._stopping:
                return self._folders[0]
            self._thread = None
            return None

    def _failure_of(self, folder: TuningFolder) -> Code | None:
        """What goes wrong is written down at the site; one that was stopped has not failed."""
        try:
            self._work(folder, lambda: self._stopping)
        except Interrupted as interruption:
            log.info("%s", interruption)
        except Refused as refusal:
            log.warning("a tuning was ended: %s", refusal)
            return refusal.code
        except TooFew as error:
            log.error("a tuning failed: %s", error)
            return Code.TOO_LITTLE_SPEECH
        except UserError as error:
            log.error("a tuning failed: %s", error)
            return Code.FAILED
        except Exception:
            log.exception("a tuning failed")
            return Code.FAILED
        return None
