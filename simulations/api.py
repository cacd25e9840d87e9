"""eyesoff from Python: a dozen names that stay.

Owns the names, their types and their order of arguments. Must not hold any work of its own: each name stands for what a
command does too. Nothing heavy is imported before it is used.

    config = load_config("small", ["recognizer.iterations=2000"])
    corpus = read_corpus("table", "recordings.csv")
    results = compare(config, "runs/comparison", corpus="table", root="recordings.csv")
    recognizer = Bank("runs/simulation/bank").bootstrap("runs/later", config)
    print(recognizer.recognize("interview.wav").emotion)

What a reader can mend is raised as `UserError`: one line with what, where, and what to do.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from common.errors import UserError

if TYPE_CHECKING:
    from common.audit.outside import Outside
    from common.config import Config
    from common.corpora.manifest import Manifest
    from common.features.spaces import SpeechFeatures
    from common.recognizers.card import ModelCard
    from common.recognizers.hearing import Heard, Listener
    from common.recognizers.model import Model
    from common.registry import Registry
    from common.scoring import Metric, Score
    from server.bank import Bank as OpenBank
    from server.bank import Banked, Finding
    from simulations.training_set import TrainingSet

__all__ = [
    "Bank",
    "Recognizer",
    "UserError",
    "compare",
    "example_recordings",
    "features",
    "load_config",
    "methods",
    "pretrain",
    "read_corpus",
    "simulate",
    "write_report",
]

Place = str | Path


def load_config(source: Place = "demo", overrides: Iterable[str] = ()) -> "Config":
    """The settings of a preset (demo, small, emodb, paper) or a TOML file, after `section.key=value` overrides.

    >>> load_config("small", ["seed=7"]).seed
    7
    """
    from common.config import load_config as load

    return load(source, overrides)


def read_corpus(
    name: str, root: Place = "", *, emotions: Sequence[str] = (), skip_bad: bool = False, **options: str
) -> "Manifest":
    """What a corpus holds: emodb, ravdess, table, .. at its folder; the built-in one needs no folder.

    `emotions` are the labels in order, the paper's four unless they are given; other recordings are only counted.
    """
    from common.corpora import corpus_root
    from common.corpora import read_corpus as read
    from common.settings import EMOTIONS, RuntimeConfig

    place = corpus_root(name, root or None, RuntimeConfig().cache_folder)
    return read(name, place, emotions=emotions or EMOTIONS, skip_bad=skip_bad, options=options)


def example_recordings(folder: Place) -> Path:
    """Eighty recordings that a program made, to try things on; the answer is the table that names them."""
    from common.corpora.builtin import write_example

    return write_example(Path(folder))


def features(
    corpus: "Manifest", config: "Config | None" = None, space: Literal["patches", "vectors"] = "patches"
) -> "SpeechFeatures":
    """Log-mels or vectors of every utterance, extracted once and then read from the cache."""
    from common.features.spaces import features_in, space_of_kinds
    from common.spaces import Patches, Vectors

    chosen = config or load_config()
    kind: type[Patches] | type[Vectors] = Patches if space == "patches" else Vectors
    return features_in(space_of_kinds(frozenset({kind}), chosen), corpus, chosen, chosen.runtime)


def methods() -> dict[str, Mapping[str, Any]]:
    """Synthesizers, recognizers and protocols by name, those of other packages included.

    >>> "eskimez" in methods()["synthesizers"], "cnn" in methods()["recognizers"]
    (True, True)
    """
    from common.protocols import PROTOCOLS
    from common.recognizers import RECOGNIZERS
    from common.synthesizers import SYNTHESIZERS

    named: dict[str, Registry[Any]] = {"synthesizers": SYNTHESIZERS, "recognizers": RECOGNIZERS, "protocols": PROTOCOLS}
    return {kind: registry.methods for kind, registry in named.items()}


def pretrain(config: "Config", root: Place, run: Place, *, resume: bool = False) -> Path:
    """Public networks from unlabelled speech of the corpus `pretraining.corpus`; the answer is their folder."""
    from server.pretraining import pretrain as train

    return train(config, Path(root), Path(run), resume=resume)


def simulate(
    config: "Config",
    run: Place,
    *,
    base: Place | None = None,
    backend: Literal["ray", "serial"] = "ray",
    plan: str | None = None,
    real: bool = True,
    resume: bool = False,
) -> dict[str, Any]:
    """A whole campaign here, sessions as clients; the answer is its `results.json`."""
    from simulations.comparison.campaign import simulate_campaign
    from simulations.comparison.schema import plain

    results = simulate_campaign(
        config,
        Path(run),
        Path(base) if base else None,
        backend=backend,
        plan=plan,
        with_real=real,
        resume=resume,
        console=_silent(),
    )
    return plain(results)


def compare(
    config: "Config",
    run: Place,
    *,
    corpus: str = "",
    root: Place = "",
    modes: Sequence[str] = (),
    seeds: int = 1,
    folds: Sequence[str] = (),
    base: Place | None = None,
    units: Place | None = None,
    workers: int | None = None,
    backend: Literal["processes", "ray"] = "processes",
    ablate: Sequence[str] = (),
    models: bool = False,
) -> dict[str, Any]:
    """Modes of training a recognizer under one protocol; the answer is the run's `results.json`.

    What was computed before in this run, or in the folder `units` that runs may share, is not computed again. A script
    that gives more than one worker needs `if __name__ == "__main__":` around it, for workers start by reading it.
    """
    from simulations.comparison.running import Order, run_comparison
    from simulations.comparison.schema import plain

    named = config.corpus.model_copy(update={"name": corpus} if corpus else {})
    runtime = config.runtime.model_copy(update={"corpus_root": str(root)} if root else {})
    chosen = config.model_copy(update={"corpus": named, "runtime": runtime})
    order = Order(
        Path(run),
        modes,
        seeds,
        folds,
        base=Path(base) if base else None,
        units=Path(units) if units else None,
        workers=workers,
        ablate=ablate,
        backend=backend,
        models=models,
    )
    return plain(run_comparison(chosen, order, _silent(), lambda: False))


def write_report(run: Place) -> Path:
    """The page of a run's results, which needs nothing else; the answer is where it lies."""
    from simulations.report.writing import write_report as write

    return write(Path(run))


class Bank:
    """The releases that came back, by a bank's folder or by the zip file of an export. It is opened for each call."""

    def __init__(self, place: Place) -> None:
        self.place = Path(place)

    def releases(self) -> "tuple[Banked, ...]":
        """What is known of each: name, run, session, size, and the card that it came with."""
        with self._opened() as opened:
            return opened.banked()

    def verify(self) -> "tuple[Finding, ...]":
        """Each release that was cut, changed, or is not what its card says; none where all is well."""
        with self._opened() as opened:
            return opened.verify()

    def remove(self, *names: str) -> None:
        """Delete releases for good, such as those of a site that withdrew; none where one of the names is unknown."""
        with self._opened(to_change=True) as opened:
            for name in names:
                opened.get(name)
            for name in names:
                opened.remove(name)

    def export(self, target: Place, names: Sequence[str] = ()) -> Path:
        """Copy releases, all unless they are named, to a new folder or .zip file that is a bank itself."""
        from server.export import export

        with self._opened() as opened:
            export(opened, Path(target), names)
        return Path(target)

    def draw(self, number: int, *, seed: int = 0, latent_scale: float = 1.0) -> "TrainingSet":
        """A training set: so many samples of each emotion, spread evenly over the generators."""
        from simulations.training_set import draw_set

        with self._opened() as opened:
            return draw_set(opened, number, seed, latent_scale)

    def write(self, drawn: "TrainingSet", folder: Place, form: Literal["npz", "parquet"] = "npz") -> Path:
        """A training set as a file; one of patches also as wavs, with a table of them."""
        from common.spaces import Patches
        from simulations.training_set import save_set, save_wavs

        path = save_set(drawn, Path(folder), form)
        if isinstance(drawn.space, Patches):
            save_wavs(drawn, Path(folder), lambda done, total: None)
        return path

    def audit(
        self, config: "Config", *, members: Sequence[str] = (), strangers: Sequence[str] = (), samples: int = 4096
    ) -> "Outside":
        """How well its releases tell members from strangers; the configuration's corpus has the sites' speech."""
        from simulations.inspection.auditing import audit_bank

        with self._opened() as opened:
            return audit_bank(config, opened, members, strangers, samples)

    def bootstrap(self, run: Place, config: "Config | None" = None) -> "Recognizer":
        """Train a recognizer from it alone; one that was trained in this run before is opened."""
        from common.training.reporters import Reporter
        from server.bootstrap import bootstrap as train

        with self._opened() as opened:
            return Recognizer.load(train(config or load_config(), opened, Path(run), Reporter(), lambda: False))

    def _opened(self, *, to_change: bool = False) -> "AbstractContextManager[OpenBank]":
        from server.opening import opened_bank

        return opened_bank(self.place, to_change=to_change)


class Recognizer:
    """A trained model that listens."""

    def __init__(self, model: "Model", folder: Path) -> None:
        self._model, self.folder = model, folder
        self._listener: Listener | None = None
        self._session: tuple[Path, ...] = ()

    @classmethod
    def load(cls, folder: Place) -> "Recognizer":
        """By the folder that `bootstrap`, `simulate` or `compare` wrote."""
        from common.recognizers.model import load_model

        return cls(load_model(Path(folder)), Path(folder))

    @property
    def card(self) -> "ModelCard":
        """Method, settings, labels, what it was trained on, scores."""
        return self._model.card

    @property
    def labels(self) -> tuple[str, ...]:
        """The emotions that it tells apart, in the order of its probabilities."""
        return self.card.labels

    def recognize(self, recording: Place, *, windows: bool = False, session: Iterable[Place] = ()) -> "Heard":
        """What it hears in a recording: `emotion`, `probabilities` and, where they are wanted, `windows`.

        `session` are recordings of the same people and microphone, for a model that compares by them.
        """
        together = tuple(Path(one) for one in session)
        if self._listener is None or together != self._session:
            self._listener, self._session = _listener(self._model, together), together
        return self._listener.hear(Path(recording), windows=windows)

    def score(self, corpus: "Manifest") -> "dict[Metric, Score]":
        """Every metric on a corpus of other speakers, with its interval."""
        from common.recognizers.scoring import confusions_of, scores_of
        from common.settings import RuntimeConfig

        return scores_of(list(confusions_of(self._model, corpus, RuntimeConfig()).values()))

    def export(self, target: Place, form: Literal["torch", "onnx"] = "torch") -> Path:
        """As a program that other tools run; the answer is where it lies."""
        from common.recognizers.exporting import export_model

        return export_model(self._model, Path(target), form)


def _listener(model: "Model", session: Sequence[Path]) -> "Listener":
    from common.networks.acceleration import Acceleration
    from common.recognizers.hearing import Listener
    from common.settings import RuntimeConfig

    return Listener(model, Acceleration.of(RuntimeConfig(precision="fp32")), session)


def _silent() -> Any:
    """Who calls from Python asks for results, not for lines."""
    from rich.console import Console

    return Console(quiet=True)
