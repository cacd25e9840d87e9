"""RAVDESS: `Actor_NN/03-01-05-01-02-01-NN.wav`, seven two-digit fields; the third is the emotion.

Owns this layout. Only audio (first field 03) of speech (second field 01) is read: a song's pitch is not the
actor's choice. The corpus has no sessions; each odd actor, a man, makes one with the woman after him: 01+02.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from common.corpora.layout import Clip, Finding, Layout, recordings, unknown_emotion
from common.corpora.manifest import BadFile, Sex

_NAME = re.compile(r"(?P<modality>\d\d)-(?P<channel>\d\d)-(?P<code>\d\d)-\d\d-\d\d-\d\d-(?P<actor>\d\d)")
_EMOTIONS = {
    "01": "neutral",
    "05": "angry",
    "04": "sad",
    "03": "happy",
    "02": "calm",
    "06": "fearful",
    "07": "disgusted",
    "08": "surprised",
}
_ACTORS = range(1, 25)


def _find(root: Path) -> Iterator[Finding]:
    for path, name in recordings(root, "Actor_[0-9][0-9]/*.wav"):
        match = _NAME.fullmatch(name)
        if match is None:
            yield BadFile(path, "not named as RAVDESS names files (03-01-05-01-02-01-12.wav)")
        elif (match["modality"], match["channel"]) != ("03", "01"):
            continue
        elif match["code"] not in _EMOTIONS:
            yield unknown_emotion(path, match["code"], _EMOTIONS)
        elif int(match["actor"]) not in _ACTORS:
            yield BadFile(path, f"unknown actor {match['actor']}; known are 01 to 24")
        else:
            actor = int(match["actor"])
            man = actor - 1 + actor % 2
            sex: Sex = "male" if actor == man else "female"
            yield Clip(path, f"{actor:02}", f"{man:02}+{man + 1:02}", _EMOTIONS[match["code"]], sex)


LAYOUT = Layout(
    name="ravdess",
    title="RAVDESS",
    licence="CC BY-NC-SA 4.0, Livingstone and Russo 2018",
    example="Actor_01/03-01-01-01-01-01-01.wav",
    markers=("Actor_[0-9][0-9]/*.wav",),
    emotions=tuple(_EMOTIONS.values()),
    find=_find,
)
