"""One unit from its job to its card.

Owns which kind is computed by whom, the clock, and what becomes of a unit that fails. Must not know in which process.
The clock is the processor's: a busy machine makes no unit dearer.
"""

import time
import traceback

from common.errors import UserError
from common.files import atomic_write
from common.networks.acceleration import Acceleration
from common.spaces import Vectors
from common.training.phases import Interrupted
from simulations.comparison.auditing import audit, fit_twin
from simulations.comparison.fitting import fit, tune
from simulations.comparison.job import Job
from simulations.comparison.recognizing import score, train
from simulations.comparison.sample_quality import measure_patches
from simulations.comparison.summing import add_up
from simulations.comparison.vectors import measure_vectors


def measure_samples(job: Job) -> None:
    """In the space that they are in."""
    if isinstance(job.setting.space, Vectors):
        measure_vectors(job)
    else:
        measure_patches(job)


WORK = {
    "tune": tune,
    "fit": fit,
    "sum": add_up,
    "train": train,
    "score": score,
    "quality": measure_samples,
    "twin": fit_twin,
    "audit": audit,
}
TRACE = "error.txt"


def do(job: Job) -> str:
    """Compute a unit; the answer is why it failed, or nothing. What is asked to stop raises `Interrupted`."""
    began = time.process_time()
    try:
        job.folder.mkdir(parents=True, exist_ok=True)
        with Acceleration.of(job.config.runtime).entered():
            WORK[job.unit.kind](job)
        job.store.finish(job.unit, time.process_time() - began)
    except Interrupted:
        job.store.spend(job.unit, time.process_time() - began)
        raise
    except UserError as error:
        return str(error)
    except Exception as error:  # one unit's mistake is not the end of the others
        atomic_write(job.folder / TRACE, traceback.format_exc().encode())
        place = job.folder.relative_to(job.store.folder) / TRACE
        return f"{type(error).__name__}: {error} (traceback in {place} of the units)"
    return ""
