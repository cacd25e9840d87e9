"""CREMA-D: `AudioWAV/1001_DFA_ANG_XX.wav`: actor, sentence, emotion, level.

Owns this layout. The corpus has no sessions and its file names no sex, so each of the 91 actors is a session;
sex is known where the corpus's own VideoDemographics.csv lies beside AudioWAV.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from common.corpora.layout import Clip, Finding, Layout, recordings, sex_of, unknown_emotion
from common.corpora.manifest import BadFile, Sex

_NAME = re.compile(r"(?P<actor>1\d{3})_[A-Z]{3}_(?P<code>[A-Z]{3})_[A-Z]{1,2}")
_EMOTIONS = {
    "NEU": "neutral",
    "ANG": "angry",
    "SAD": "sad",
    "HAP": "happy",
    "FEA": "fearful",
    "DIS": "disgusted",
}
_SILENT = {"1076_MTI_SAD_XX"}
"""Published without audio: nobody's damaged copy, so not worth an error."""


def _find(root: Path) -> Iterator[Finding]:
    sexes = _actor_sexes(root / "VideoDemographics.csv")
    for path, name in recordings(root, "AudioWAV/*.wav"):
        match = _NAME.fullmatch(name)
        if name in _SILENT:
            continue
        if match is None:
            yield BadFile(path, "not named as CREMA-D names files (1001_DFA_ANG_XX.wav)")
        elif match["code"] not in _EMOTIONS:
            yield unknown_emotion(path, match["code"], _EMOTIONS)
        else:
            actor = match["actor"]
            yield Clip(path, actor, actor, _EMOTIONS[match["code"]], sexes.get(actor))


def _actor_sexes(table: Path) -> dict[str, Sex]:
    if not table.is_file():
        return {}
    with table.open(encoding="utf-8-sig", newline="") as stream:
        rows = [(row.get("ActorID") or "", row.get("Sex") or "") for row in csv.DictReader(stream)]
    return {actor: sex for actor, text in rows if (sex := sex_of(text)) is not None}


LAYOUT = Layout(
    name="cremad",
    title="CREMA-D",
    licence="Open Database License 1.0, its contents under the Database Contents License 1.0, Cao et al. 2014",
    example="AudioWAV/1001_DFA_ANG_XX.wav",
    markers=("AudioWAV/*.wav",),
    emotions=tuple(_EMOTIONS.values()),
    find=_find,
)
