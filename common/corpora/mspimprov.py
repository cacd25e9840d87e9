"""MSP-IMPROV: `session<k>/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav`, labelled in one `Evaluation.txt`.

Owns this layout. The label names the video (`UTD-IMPROV-....avi`); the recording has MSP for UTD in its name.
Six sessions, a woman and a man each; the speaker is the fourth field (F01), as the corpus's users read it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from common.corpora.layout import Clip, Finding, Layout, sex_of, unknown_emotion
from common.corpora.manifest import BadFile

# The consensus; each rater's own line below it begins with the rater's name.
_LABEL = re.compile(r"^UTD-IMPROV-(?P<turn>\S+)\.avi\s*;\s*(?P<letter>[^;\s]*)\s*;", re.MULTILINE)
_TURN = re.compile(r"(?P<scene>S\d\d[A-Z])-(?P<speaker>(?P<sex>[FM])0(?P<session>[1-6]))-(?P<kind>[A-Z])-[FM]{2}\d+")
_EMOTIONS = {"N": "neutral", "A": "angry", "S": "sad", "H": "happy", "O": "other", "X": "no agreement"}


def _find(root: Path) -> Iterator[Finding]:
    # The release spells its own table "Evalution.txt".
    for table in sorted(root.glob("Eval*tion.txt")):
        text = table.read_text(encoding="utf-8", errors="replace")
        audio = "Audio/" if (root / "Audio").is_dir() else ""
        for label in _LABEL.finditer(text):
            yield _turn(label["turn"], label["letter"], audio, table.name)


def _turn(turn: str, letter: str, audio: str, table: str) -> Finding:
    match = _TURN.fullmatch(turn)
    if match is None:
        return BadFile(table, f"turn {turn!r} is not named as MSP-IMPROV names turns (S01A-F01-P-FM01)")
    if letter not in _EMOTIONS:
        return unknown_emotion(table, letter, _EMOTIONS, turn)
    session = f"session{match['session']}"
    return Clip(
        f"{audio}{session}/{match['scene']}/{match['kind']}/MSP-IMPROV-{turn}.wav",
        speaker=match["speaker"],
        session=session,
        emotion=_EMOTIONS[letter],
        sex=sex_of(match["sex"]),
    )


LAYOUT = Layout(
    name="mspimprov",
    title="MSP-IMPROV",
    licence="see the corpus' own terms, Busso et al. 2017",
    example="Evaluation.txt and session1/S01A/P/MSP-IMPROV-S01A-F01-P-FM01.wav",
    markers=("Eval*tion.txt",),
    emotions=tuple(_EMOTIONS.values()),
    find=_find,
)
