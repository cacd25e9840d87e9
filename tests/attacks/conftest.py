"""Speech for attacks, and the table of what each attack gave with the rules off and with the rules on."""

import json
import os
from pathlib import Path

import pytest

from common.corpora import read_corpus
from common.corpora.builtin import generate
from common.settings import EMOTIONS
from tests.attacks.clinic import ELSEWHERE, HELD, Speech

EMODB = "EYESOFF_EMODB"
"""Names the folder of EMO-DB, which is not part of the product."""
REAL = "03+08"
"""The session of EMO-DB that a site holds: a man and a woman, 81 recordings."""
TABLE = "EYESOFF_ATTACKS_TABLE"
"""Names the file that `make attack-test` stores its findings in."""
IN_CLINIC = ("Session1", "Session2", "Session3")


def write_table(folder, rows):
    """A table of recordings: path, emotion, speaker, and whether the site holds it."""
    lines = [f"{path},{emotion},{HELD if held else ELSEWHERE},{speaker}" for path, emotion, speaker, held in rows]
    (folder / "recordings.csv").write_text("\n".join(["path,emotion,session,speaker", *lines]))
    return Speech(folder)


@pytest.fixture(scope="session")
def speech(tmp_path_factory):
    """A hundred and twenty recordings of the built-in cast: six speakers at the clinic, four elsewhere."""
    folder = tmp_path_factory.mktemp("speech")
    manifest = generate(folder, utterances_per_cell=3)
    return write_table(folder, [(u.path, u.emotion, u.speaker, u.session in IN_CLINIC) for u in manifest.utterances])


@pytest.fixture(scope="session")
def real_utterances():
    """All of EMO-DB, and its folder."""
    if not (root := os.environ.get(EMODB)):
        pytest.skip(f"needs EMO-DB: {EMODB} names its folder; `make attack-test` sets it where it is found")
    return read_corpus("emodb", Path(root), emotions=EMOTIONS, skip_bad=True)


@pytest.fixture(scope="session")
def real_speech(real_utterances, tmp_path_factory):
    """A table of EMO-DB of which a site holds some, by a rule of the test's."""

    def make(name, is_held):
        folder = tmp_path_factory.mktemp(name)
        (folder / "wav").symlink_to(real_utterances.root.resolve() / "wav")
        return write_table(folder, [(u.path, u.emotion, u.speaker, is_held(u)) for u in real_utterances.utterances])

    return make


@pytest.fixture(scope="session")
def findings():
    """What was found, by finding and variant; written down when all tests are over, if somebody asked for it."""
    found: dict[str, dict[str, str]] = {}
    yield found
    if (path := os.environ.get(TABLE)) and found:
        known = json.loads(Path(path).read_text()) if Path(path).exists() else {}
        Path(path).write_text(json.dumps(known | found, indent=1, sort_keys=True) + "\n")


@pytest.fixture
def note(findings, request):
    """Writes down what an attack gave: once with the rules off, once with the rules on."""

    def tell(finding, *, off=None, on=None):
        row = findings.setdefault(finding, {"test": f"{request.path.name}"})
        row |= {name: str(value) for name, value in (("off", off), ("on", on)) if value is not None}

    return tell
