"""What is told of a model: a card for programs, and a page that people read.

Owns both forms. Must not know the files that they lie in, nor any weights.
"""

import json
from typing import Any

from pydantic import Field

from common.features import cache
from common.features.scaling import Scaling
from common.features.sets import feature_set, licence_of
from common.settings import FeatureConfig, Labels, Section, VectorConfig
from common.spaces import Patches, Space, Vectors
from common.version import VERSION

FORMAT = 1
"""Of the card; raise it when an older eyesoff would read a newer one wrongly."""
SHOWN = 20
"""Sources that the page names; a bank may hold thousands, and the card has them all."""
LEAST_TOGETHER = 8
"""Recordings without which a session has no mean and deviation worth the name."""
AUDITS = "audits of its releases"
"""The name under which a card tells, release by release, what an audit at its own site said."""
UNKNOWN_LICENCE = "that of the speech behind its data; it is not known here"


class Result(Section):
    """One score on one corpus, with its 95 % interval and how many utterances it is of."""

    corpus: str
    metric: str
    value: float
    low: float
    high: float
    n: int
    note: str = ""


class ModelCard(Section):
    """All of a model but its weights.

    Args:
        extractor: name and version of what makes features of speech; another one would hear something else.
        sources: what it was trained on, by name; a release's name tells its hash.
    """

    format: int = FORMAT
    eyesoff: str = VERSION
    extractor: str
    recognizer: str
    settings: dict[str, Any]
    labels: Labels
    space: Space
    features: FeatureConfig = Field(FeatureConfig(), description="of patches")
    vectors: VectorConfig = Field(VectorConfig(), description="of vectors")
    scaling: Scaling | None = Field(None, description="of patches; None for vectors")
    trained_on: str
    sources: tuple[str, ...] = ()
    licence: str = UNKNOWN_LICENCE
    seed: int | None = None
    scores: tuple[Result, ...] = ()
    audit: dict[str, Any] = Field({}, description="what was measured of its privacy, by name")

    @property
    def together(self) -> int:
        """How many recordings of a session it must be given at once."""
        scale = self.space.scale if isinstance(self.space, Vectors) else self.features.normalisation
        return LEAST_TOGETHER if scale == "session" else 1

    @property
    def given(self) -> str:
        """What to put after `eyesoff recognize MODEL`, in words."""
        if self.together == 1:
            return "RECORDING.wav"
        return f"FOLDER, with {self.together} or more recordings of the same people and microphone"


def extractor_of(space: Space, vectors: VectorConfig) -> str:
    """What makes examples of a space here; a set of vectors that is not installed is an error."""
    if isinstance(space, Patches):
        return f"log-mel {cache.FORMAT}"
    own = feature_set(vectors.set, vectors.options)
    return f"{own.name} {own.digest}"


def page_of(card: ModelCard) -> str:
    """Markdown, with the head that model hubs read."""
    parts = [
        _head(card),
        f"# {', '.join(card.labels[:-1])} or {card.labels[-1]}: a recognizer of emotion in speech\n",
        _use(card),
        _made(card),
        _scores(card),
        _limits(card),
    ]
    return "\n".join(parts)


def _head(card: ModelCard) -> str:
    """What a hub sorts by; a licence that is no plain name goes into the text alone."""
    tags = ["speech-emotion-recognition", card.recognizer, "synthetic-data"]
    lines = ["---", "library_name: eyesoff", "pipeline_tag: audio-classification", "license: other"]
    return "\n".join([*lines, "tags:", *(f"- {tag}" for tag in tags), "---", ""])


def _use(card: ModelCard) -> str:
    many = f"""
It compares a recording with the others of its session. Give it {card.together} or more together, of the same people and
microphone; for a single new one, name the folder of the others with `--beside`.
"""
    return f"""## Use

    eyesoff recognize THIS_FOLDER {"recording.wav" if card.together == 1 else "recordings"}
{"" if card.together == 1 else many}
It needs eyesoff {card.eyesoff} or another version that reads models of format {card.format}.
Recordings of any rate are brought to 16 kHz mono first.
"""


def _made(card: ModelCard) -> str:
    heard = "log-mel spectrograms" if isinstance(card.space, Patches) else _heard_of(card.space.set)
    lines = [
        "## What it is",
        "",
        f"- Method: `{card.recognizer}`, on {heard}",
        f"- Settings: `{json.dumps(card.settings)}`",
        f"- Trained on: {card.trained_on}",
        f"- Licence of the data: {card.licence}",
    ]
    if card.sources:
        lines.append(f"- Sources: {_some(list(card.sources))}")
    if card.seed is not None:
        lines.append(f"- Seed of the training itself: {card.seed}")
    return "\n".join([*lines, ""])


def _heard_of(name: str) -> str:
    return f"the feature set {name}, made under {licence_of(name)}"


def _scores(card: ModelCard) -> str:
    lines = ["## Scores", ""]
    if not card.scores:
        return "\n".join([*lines, "None was measured.", ""])
    lines += ["| corpus | metric | value | 95 % interval | utterances | |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {one.corpus} | {one.metric} | {one.value:.3f} | {one.low:.3f} to {one.high:.3f} | {one.n} | {one.note} |"
        for one in card.scores
    ]
    return "\n".join([*lines, ""])


def _limits(card: ModelCard) -> str:
    lines = ["## Limits", ""]
    lines += [
        _audits(found) if name == AUDITS else f"- Measured of its privacy, {name}: {json.dumps(found)}"
        for name, found in card.audit.items()
    ]
    if not card.audit:
        lines.append("- Its privacy was not measured.")
    lines += [
        "- Acted speech differs from speech of daily life; scores on one corpus do not carry over to another.",
        "- It hears a voice, not a feeling: do not decide about people by it.",
    ]
    return "\n".join([*lines, ""])


def _audits(said: dict[str, str]) -> str:
    """Word by word, with the releases that it was said of."""
    words = [f"{word}: {_some([name for name in said if said[name] == word])}" for word in sorted({*said.values()})]
    return f"- Before each release left, the audit at its own site said: {'; '.join(words)}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
