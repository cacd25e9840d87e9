"""A corpus layout: `s1-ann-happy-2.wav` in one folder."""

from collections.abc import Iterator
from pathlib import Path

from common.corpora.layout import Clip, Finding, Layout, recordings
from common.corpora.manifest import BadFile


def find(root: Path) -> Iterator[Finding]:
    """Session, speaker, emotion and a number."""
    for path, name in recordings(root, "*.wav"):
        words = name.split("-")
        if len(words) == 4:
            yield Clip(path, speaker=words[1], session=words[0], emotion=words[2])
        else:
            yield BadFile(path, "not named as s1-ann-happy-2.wav")


LAYOUT = Layout(
    name="pairs",
    title="the example corpus",
    example="s1-ann-happy-2.wav",
    markers=("s*-*-*-*.wav",),
    emotions=("neutral", "angry", "sad", "happy"),
    find=find,
)
