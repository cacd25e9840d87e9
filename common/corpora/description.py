"""What a manifest holds, counted, as plain data.

Owns the counting. Must not know how it is shown.
"""

from collections import Counter
from collections.abc import Iterable
from statistics import median
from typing import Any, get_args

from common.corpora.manifest import Manifest, Split

SPLITS: tuple[Split, ...] = get_args(Split)


def describe(manifest: Manifest) -> dict[str, Any]:
    """Counts, durations in seconds and identity of a corpus; names sorted, emotions in label order."""
    utterances = manifest.utterances
    emotions = Counter(u.emotion for u in utterances if u.emotion is not None)
    splits = Counter(u.split for u in utterances)
    cells = Counter((u.session, u.emotion) for u in utterances)
    seconds = [u.seconds for u in utterances]
    return {
        "corpus": manifest.corpus,
        "root": str(manifest.source or manifest.root),
        "content_hash": manifest.content_hash(),
        "labels": list(manifest.labels),
        "utterances": len(utterances),
        "files": len({u.file for u in utterances}),
        "unlabelled": len(utterances) - emotions.total(),
        "emotions": {label: emotions[label] for label in manifest.labels} if emotions else {},
        "sessions": _counted(u.session for u in utterances),
        "splits": {name: count for name in SPLITS if (count := splits[name])},
        "speakers": _counted(u.speaker for u in utterances),
        "speakers_by_sex": _counted({u.speaker: u.sex or "unknown" for u in utterances}.values()),
        "emotions_by_session": {
            session: {label: cells[session, label] for label in manifest.labels} if emotions else {}
            for session in manifest.sessions
        },
        "seconds": manifest.seconds,
        "durations": {"min": min(seconds), "median": median(seconds), "max": max(seconds)} if seconds else {},
        "left_out": dict(manifest.left_out),
        "skipped": [{"path": file.path, "reason": file.reason} for file in manifest.skipped],
        "notes": list(manifest.notes),
        "speakers_in_several_sessions": {name: list(where) for name, where in manifest.shared_speakers().items()},
    }


def _counted(names: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
