"""From a recipe to a folder of recordings that is either whole or absent, and from such a folder to its manifest.

Owns the plan of utterances, storage and the recipe's hash. Must not know how a voice or an emotion works.
"""

import errno
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from common.corpora import voice
from common.corpora.builtin import acting
from common.corpora.manifest import Manifest, Utterance
from common.corpora.reading import Progress
from common.errors import UserError
from common.files import atomic_json
from common.seeds import numpy_stream
from common.settings import EMOTIONS
from common.space import SAMPLE_RATE

_VERSION = 1
_SECONDS = (1.6, 3.2)
_INDEX = "corpus.json"
_UNFINISHED = ".unfinished-"
_WAV_HEADER = 44  # bytes
_HOUR = 3600.0


@dataclass(frozen=True)
class Recipe:
    """What defines the corpus: these numbers, and the source text that turns them into sound."""

    seed: int = 0
    utterances_per_cell: int = 10
    version: int = _VERSION

    def hash(self) -> str:
        """Twelve characters; no change of a voice or an emotion can be served from files made before it."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode())
        for module in (voice, acting):
            for source in sorted(Path(str(module.__file__)).parent.glob("*.py")):
                digest.update(source.read_bytes())
        return digest.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Plan:
    """One utterance to be: who says it, in which emotion, the how manieth of its cell."""

    actor: acting.Actor
    emotion: str
    number: int

    @property
    def path(self) -> str:
        """Below the corpus's folder."""
        return f"{self.actor.session}/{self.actor.name}_{self.emotion}_{self.number:02d}.wav"


def generate(
    root: Path,
    seed: int = Recipe.seed,
    utterances_per_cell: int = Recipe.utterances_per_cell,
    *,
    progress: Progress | None = None,
) -> Manifest:
    """A corpus of five sessions, two speakers each, four emotions and so many utterances of each; made if not whole.

    Each recipe has a folder of its own below `root`; what another recipe made is left alone.
    """
    recipe = Recipe(seed, utterances_per_cell)
    folder = root / f"builtin-{recipe.hash()}"
    try:
        if _utterances(folder) is None:
            _make(recipe, folder, progress)
        utterances = _utterances(folder)
    except OSError as error:
        raise UserError("cannot make the built-in corpus", where=root, remedy=error.strerror or str(error)) from error
    if utterances is None:
        raise UserError("the built-in corpus was damaged while it was made", where=folder, remedy="start again")
    return Manifest("builtin", root, EMOTIONS, utterances)


def _utterances(folder: Path) -> tuple[Utterance, ...] | None:
    """What the folder holds, with paths from its parent; nothing unless every recording is there in full length."""
    try:
        rows = json.loads((folder / _INDEX).read_text(encoding="utf-8"))["utterances"]
        utterances = tuple(Utterance(**{**row, "path": f"{folder.name}/{row['path']}"}) for row in rows)
        whole = all(
            (folder.parent / utterance.path).stat().st_size == _WAV_HEADER + 2 * round(utterance.seconds * SAMPLE_RATE)
            for utterance in utterances
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return utterances if whole else None


def _make(recipe: Recipe, folder: Path, progress: Progress | None) -> None:
    """Build beside the folder and move into place, so that nobody ever reads half a corpus."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=_UNFINISHED) as workshop:
        built = Path(workshop) / "built"
        rows = list(record(recipe, built, progress))
        atomic_json(built / _INDEX, {"recipe": asdict(recipe), "utterances": rows})
        _place(built, folder, aside=Path(workshop) / "damaged")


def _place(built: Path, folder: Path, aside: Path) -> None:
    """Move a whole corpus into place, unless another process was quicker; a damaged one makes way."""
    while True:
        try:
            built.rename(folder)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
        else:
            return
        if _utterances(folder) is not None:
            return
        with suppress(FileNotFoundError):
            folder.rename(aside)


def _sweep(root: Path) -> None:
    """Remove what a killed process left behind; none needs an hour to build."""
    for workshop in root.glob(f"{_UNFINISHED}*"):
        with suppress(FileNotFoundError):
            if time.time() - workshop.stat().st_mtime > _HOUR:
                shutil.rmtree(workshop, ignore_errors=True)


def record(recipe: Recipe, folder: Path, progress: Progress | None) -> Iterator[dict[str, object]]:
    """Write every recording; yield its row in the index."""
    rooms = {
        session: voice.draw_room(numpy_stream(recipe.seed, "builtin", "room", session)) for session in acting.SESSIONS
    }
    every = plans(recipe)
    for done, plan in enumerate(every, start=1):
        actor = plan.actor
        samples = _say(recipe.seed, plan, rooms[actor.session])
        (folder / plan.path).parent.mkdir(parents=True, exist_ok=True)
        (folder / plan.path).write_bytes(_as_wav(samples))
        utterance = Utterance(plan.path, actor.name, actor.session, len(samples) / SAMPLE_RATE, plan.emotion, actor.sex)
        yield asdict(utterance)
        if progress is not None:
            progress(done, len(every))


def plans(recipe: Recipe) -> list[Plan]:
    """Every utterance to be, in the order of the corpus."""
    return [
        Plan(actor, emotion, number)
        for actor in acting.cast(recipe.seed)
        for emotion in EMOTIONS
        for number in range(1, recipe.utterances_per_cell + 1)
    ]


def _say(seed: int, plan: Plan, room: voice.Room) -> NDArray[np.int16]:
    """One utterance as 16-bit samples; its stream is its own, so that neither order nor number changes it."""
    stream = numpy_stream(seed, "builtin", plan.path)
    delivery = acting.draw_delivery(plan.actor, plan.emotion, stream)
    dry = voice.speak(plan.actor.body, delivery, stream.uniform(*_SECONDS), stream)
    wave = np.clip(room.record(dry, stream), -1, 1)
    return np.rint(32767 * wave).astype(np.int16)


def _as_wav(samples: NDArray[np.int16]) -> bytes:
    memory = BytesIO()
    soundfile.write(memory, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return memory.getvalue()
