"""A model's scores on a corpus that is at hand.

Owns the way from a model and a manifest to scores. Must not know where the speech behind the model came from.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features.building import Progress
from common.features.spaces import features_in
from common.networks.acceleration import Acceleration
from common.recognizers.card import Result
from common.recognizers.model import Model, amend_model, load_model
from common.recognizers.trying import confusions_by_speaker
from common.scoring import METRICS, Confusion, Metric, Score, bootstrap
from common.settings import RuntimeConfig

NOTE = "a test only if none of its speakers is behind the training"


def confusions_of(
    model: Model, manifest: Manifest, runtime: RuntimeConfig, progress: Progress | None = None
) -> dict[str, Confusion]:
    """Of each speaker of the labelled speech; the manifest's labels are the model's."""
    card = model.card
    if manifest.labels != card.labels:
        what = f"a model of {', '.join(card.labels)} cannot be scored on {', '.join(manifest.labels)}"
        raise UserError(what, where=manifest.corpus, remedy="read the corpus with the model's labels")
    labelled = manifest.where(lambda utterance: utterance.emotion is not None)
    features = features_in(card.space, labelled, card, runtime, progress)
    acceleration = Acceleration.of(runtime)
    with acceleration.entered():
        predictor = model.predictor(acceleration)
        confusions = confusions_by_speaker(predictor, features, labelled, card.scaling)
    return dict(zip(labelled.speakers, confusions, strict=True))


def scores_of(confusions: Sequence[Confusion], seed: int = 0) -> dict[Metric, Score]:
    """Every metric, with an interval over speakers."""
    return {metric: bootstrap(confusions, metric, seed=seed) for metric in METRICS}


def keep_scores(folder: Path, scores: Mapping[Metric, Score], corpus: str, *, note: str = NOTE) -> None:
    """A model's card tells them from then on; what it told of this corpus goes."""
    kept = [one for one in load_model(folder).card.scores if one.corpus != corpus]
    amend_model(folder, scores=(*kept, *results_of(scores, corpus, note)))


def results_of(scores: Mapping[Metric, Score], corpus: str, note: str) -> tuple[Result, ...]:
    """Scores as a model's card keeps them."""
    return tuple(
        Result(corpus=corpus, metric=metric, value=one.value, low=one.low, high=one.high, n=one.n, note=note)
        for metric, one in scores.items()
    )
