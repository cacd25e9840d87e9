"""LibriSpeech: `<subset>/<speaker>/<chapter>/<speaker>-<chapter>-<4 digits>.flac`; read aloud, no emotions.

Owns this layout. Each speaker is a session, for there is no other; sex comes from SPEAKERS.TXT where it is.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from common.corpora.layout import Clip, Finding, Layout, recordings, sex_of
from common.corpora.manifest import BadFile, Sex

_NAME = re.compile(r"(\d+)-(\d+)-\d{4}")


def _find(root: Path, subset: str) -> Iterator[Finding]:
    sexes = _speaker_sexes(root / "SPEAKERS.TXT")
    for path, name in recordings(root, f"{'*' if subset == 'all' else subset}/*/*/*.flac"):
        match = _NAME.fullmatch(name)
        if match is None or path.split("/")[1:3] != list(match.groups()):
            yield BadFile(path, "not named <speaker>-<chapter>-<4 digits>.flac after its folders")
            continue
        yield Clip(path, speaker=match[1], session=match[1], sex=sexes.get(match[1]))


def _speaker_sexes(table: Path) -> dict[str, Sex]:
    """Lines such as `14   | F | train-clean-360  | 25.03 | Kristin LeMoine`, and comments."""
    if not table.is_file():
        return {}
    rows = (line.split("|") for line in table.read_text(encoding="utf-8").splitlines() if "|" in line)
    return {row[0].strip(): sex for row in rows if (sex := sex_of(row[1])) is not None}


LAYOUT = Layout(
    name="librispeech",
    title="LibriSpeech",
    licence="CC BY 4.0, Panayotov et al. 2015",
    example="train-clean-100/103/1240/103-1240-0000.flac",
    markers=("*/*/*/*-*-*.flac",),
    emotions=(),
    find=_find,
    options={
        "subset": (
            "all",
            "train-clean-100",
            "train-clean-360",
            "train-other-500",
            "dev-clean",
            "dev-other",
            "test-clean",
            "test-other",
        )
    },
)
