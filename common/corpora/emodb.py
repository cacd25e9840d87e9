"""EMO-DB (Berlin): `wav/SStttEv.wav`: two digits speaker, three characters text, emotion, version letter.

Owns this layout. The corpus has no sessions; its ten actors are paired, a man and a woman each, to make the
five sessions of the paper's setting.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from common.corpora.layout import Clip, Finding, Layout, recordings, unknown_emotion
from common.corpora.manifest import BadFile, Sex

_NAME = re.compile(r"(?P<speaker>\d\d)[ab]\d\d(?P<letter>[A-Z])[a-z]?")
_EMOTIONS = {
    "N": "neutral",
    "W": "angry",
    "T": "sad",
    "F": "happy",
    "A": "fearful",
    "E": "disgusted",
    "L": "bored",
}
_PAIRS = (("03", "08"), ("10", "09"), ("11", "13"), ("12", "14"), ("15", "16"))
_SESSIONS = {speaker: "+".join(pair) for pair in _PAIRS for speaker in pair}
_MEN = {man for man, _ in _PAIRS}


def _find(root: Path) -> Iterator[Finding]:
    for path, name in recordings(root, "wav/*.wav"):
        match = _NAME.fullmatch(name)
        if match is None:
            yield BadFile(path, "not named as EMO-DB names files (03a01Fa.wav)")
        elif match["letter"] not in _EMOTIONS:
            yield unknown_emotion(path, match["letter"], _EMOTIONS)
        elif match["speaker"] not in _SESSIONS:
            yield BadFile(path, f"unknown speaker {match['speaker']}; known are {', '.join(sorted(_SESSIONS))}")
        else:
            speaker = match["speaker"]
            sex: Sex = "male" if speaker in _MEN else "female"
            yield Clip(path, speaker, _SESSIONS[speaker], _EMOTIONS[match["letter"]], sex)


LAYOUT = Layout(
    name="emodb",
    title="EMO-DB",
    licence="free for research, Burkhardt et al. 2005",
    example="wav/03a01Fa.wav",
    markers=("wav/[0-9][0-9][ab][0-9][0-9]*.wav",),
    emotions=tuple(_EMOTIONS.values()),
    find=_find,
)
