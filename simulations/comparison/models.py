"""The recognizers of a comparison as models that can be used elsewhere, each with the score of its own fold.

Owns where they lie in a run and what their cards tell. Must not know how a recognizer was trained.
"""

from collections.abc import Sequence
from pathlib import Path

from common.corpora import CORPORA
from common.recognizers.card import UNKNOWN_LICENCE, ModelCard, extractor_of
from common.recognizers.model import Model, save_model
from common.recognizers.scoring import results_of, scores_of
from common.scoring import Confusion
from common.training.checkpoint import read_tensors
from simulations.comparison.modes import mode_of
from simulations.comparison.recognizing import recognizer_of
from simulations.comparison.setting import Setting
from simulations.comparison.store import COUNTS, RECOGNIZER, Store
from simulations.comparison.units import Unit

MODELS, MODEL = "models", "model"


def write_models(run: Path, setting: Setting, units: Sequence[Unit], store: Store) -> None:
    """A folder for each scored recognizer: models/<mode>/<fold>-seed<n>/model."""
    for unit in units:
        if unit.kind == "score" and store.card(unit) is not None:
            trained = unit.needs[0]
            weights, _ = read_tensors(store.where(trained) / RECOGNIZER)
            folder = run / MODELS / unit.row.replace(" ", "-") / f"{unit.fold}-seed{unit.seed}" / MODEL
            save_model(folder, Model(_card(setting, unit, trained, store), weights))


def _card(setting: Setting, unit: Unit, trained: Unit, store: Store) -> ModelCard:
    config, method = trained.config, recognizer_of(mode_of(trained.subject, trained.config), trained.config)
    labels, fold = setting.manifest.labels, setting.folds[unit.place]
    counts = store.read(unit, COUNTS)
    scores = scores_of([Confusion(labels, matrix) for matrix in counts.values()], unit.seed)
    note = f"session {unit.place}, of whose speakers nothing was trained on"
    return ModelCard(
        extractor=extractor_of(setting.space, config.vectors),
        recognizer=method.name,
        settings=method.settings_of(config).model_dump(mode="json"),
        labels=labels,
        space=setting.space,
        features=config.features,
        vectors=config.vectors,
        scaling=setting.scaling,
        trained_on=f"{mode_of(unit.subject, unit.config).about}; corpus {setting.manifest.corpus}",
        sources=fold.train.sessions,
        licence=_licence_of(setting.manifest.corpus) or UNKNOWN_LICENCE,
        seed=unit.seed,
        scores=results_of(scores, setting.manifest.corpus, note),
    )


def _licence_of(corpus: str) -> str:
    """Of several corpora as one, or of one's own recordings, none is known."""
    return CORPORA.get(corpus).licence if corpus in CORPORA else ""
