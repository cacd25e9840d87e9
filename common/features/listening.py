"""Every recording of a corpus heard once, before a run leans on it: in which of them nobody can be heard, and why.

Owns that look. Must not know what is made of a recording.
"""

from concurrent.futures import ThreadPoolExecutor

from common.cores import usable_cores
from common.corpora.audio import AudioError, load
from common.corpora.manifest import Manifest, Utterance
from common.corpora.reading import Progress
from common.features.silence import fault_of, trimmed


def faults(manifest: Manifest, trim: float, progress: Progress | None = None) -> dict[str, str]:
    """Path to reason, of the recordings that are damaged inside, silent, clipped or too short once they are trimmed."""

    def fault(utterance: Utterance) -> str:
        try:
            return fault_of(trimmed(load(manifest.root / utterance.file, utterance.part), trim))
        except AudioError as error:
            return error.reason

    found = {}
    with ThreadPoolExecutor(usable_cores()) as pool:  # decoding and sums leave the interpreter to others
        heard = zip(manifest.utterances, pool.map(fault, manifest.utterances), strict=True)
        for done, (utterance, reason) in enumerate(heard, start=1):
            if reason:
                found[utterance.path] = reason
            if progress is not None:
                progress(done, len(manifest))
    return found
