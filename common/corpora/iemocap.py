"""IEMOCAP: five sessions of a woman and a man, labelled in `Session<k>/dialog/EmoEvaluation/<dialog>.txt`.

Owns this layout. As in the paper and most before it, excited counts as happy: 5531 turns in the four classes.
The speaker is in the turn's last field; the letter after the session says only who wore the motion markers.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from common.corpora.layout import Clip, Finding, Layout, sex_of, unknown_emotion
from common.corpora.manifest import BadFile

# A turn's summary; the raters' own lines below it begin with C- or A- and are not matched.
_SUMMARY = re.compile(r"^\[\d+\.\d+ - \d+\.\d+\]\t(?P<turn>\S+)\t(?P<code>\w+)\t", re.MULTILINE)
_TURN = re.compile(r"(?P<dialog>Ses0(?P<session>[1-5])[FM]_(?:impro|script)\w+)_(?P<sex>[FM])\w+")
_EMOTIONS = {
    "neu": "neutral",
    "ang": "angry",
    "sad": "sad",
    "hap": "happy",
    "exc": "happy",
    "fru": "frustrated",
    "fea": "fearful",
    "sur": "surprised",
    "dis": "disgusted",
    "oth": "other",
    "xxx": "no agreement",
}
_MARKS = {"all": "", "improvised": "_impro", "scripted": "_script"}


def _find(root: Path, dialogs: str) -> Iterator[Finding]:
    for table in sorted(root.glob("Session[1-5]/dialog/EmoEvaluation/*.txt")):
        if table.name.startswith(".") or _MARKS[dialogs] not in table.name:
            continue
        text = table.read_text(encoding="utf-8", errors="replace")
        for summary in _SUMMARY.finditer(text):
            yield _turn(summary["turn"], summary["code"], table.relative_to(root).as_posix())


def _turn(turn: str, code: str, table: str) -> Finding:
    match = _TURN.fullmatch(turn)
    if match is None:
        return BadFile(table, f"turn {turn!r} is not named as IEMOCAP names turns (Ses01F_impro01_M003)")
    if code not in _EMOTIONS:
        return unknown_emotion(table, code, _EMOTIONS, turn)
    session = f"Session{match['session']}"
    return Clip(
        f"{session}/sentences/wav/{match['dialog']}/{turn}.wav",
        speaker=f"Ses0{match['session']}{match['sex']}",
        session=session,
        emotion=_EMOTIONS[code],
        sex=sex_of(match["sex"]),
    )


LAYOUT = Layout(
    name="iemocap",
    title="IEMOCAP",
    licence="see the corpus' own terms, its release form at sail.usc.edu/iemocap, Busso et al. 2008",
    example="Session1/dialog/EmoEvaluation/Ses01F_impro01.txt",
    markers=("Session[1-5]/dialog/EmoEvaluation/*.txt",),
    emotions=tuple(dict.fromkeys(_EMOTIONS.values())),
    find=_find,
    options={"dialogs": tuple(_MARKS)},
)
