"""What a configuration names, methods, corpora and features: whether all of it is here.

Owns that every mistake is told beside its place. Must not know what there is: whoever refuses a name when a run begins
is asked here too.
"""

from collections.abc import Callable, Mapping

from common.config.tree import Config
from common.corpora import CORPORA, layout_of
from common.corpora.labels import check_maps, maps_in, plain
from common.corpora.reading import complete, lacking
from common.errors import UserError, UserErrors
from common.features.sets import FAMILIES, feature_set
from common.protocols import protocol
from common.recognizers import recognizer
from common.settings import CorpusConfig, Options, option_words
from common.synthesizers import synthesizer


def unknown_names(config: Config) -> list[str]:
    """A line a name of which there is nothing here, the place first."""
    corpus, public, methods = config.corpus, config.pretraining, config.methods
    asked: Mapping[str, Callable[[], object]] = {
        "methods.synthesizer": lambda: synthesizer(methods.synthesizer),
        "methods.recognizer": lambda: recognizer(methods.recognizer),
        "methods.protocol": lambda: protocol(methods.protocol),
        "vectors.set": lambda: _check_family(config.vectors.set),
        "corpus.name": lambda: CORPORA.get(corpus.name),
        "corpus.options": lambda: _check_options(corpus.name, corpus.options, corpus.emotions),
        "corpus.emotions": lambda: _check_emotions(corpus),
        "pretraining.corpus": lambda: CORPORA.get(public.corpus),
        "pretraining.options": lambda: _check_options(public.corpus, public.options, ()),
    }
    return [problem for place, ask in asked.items() for problem in refusals(place, ask)]


def refusals(place: str, ask: Callable[[], object]) -> list[str]:
    """What is said against a place of a configuration, if anything."""
    try:
        ask()
    except UserErrors as errors:
        return [f"{place}: {problem}" for problem in errors.problems]
    except UserError as error:
        return [f"{place}: {error}"]
    return []


def _check_family(name: str) -> None:
    """That somebody makes such features; whether it is installed is for the machine that reads speech."""
    if name.partition(":")[0] not in FAMILIES:
        feature_set(name)


def _check_emotions(corpus: CorpusConfig) -> None:
    """That a corpus of fixed labels, or corpora that are joined, have those that count, or labels mapped to them."""
    words = option_words(corpus.options)
    try:
        layout = layout_of(corpus.name, words)
        possible = {*layout.emotions, *maps_in(layout, words).values()}
    except UserError:
        return  # which is told of its name or its options
    if not layout.emotions or layout.free_labels:
        return
    if strange := [emotion for emotion in corpus.emotions if emotion not in possible]:
        raise lacking(layout, strange)


def _check_options(name: str, options: Options, emotions: tuple[str, ...]) -> None:
    """That the corpus, if there is one, has such options, and that labels are mapped to some that count."""
    if name not in CORPORA:
        return
    words = option_words(options)
    layout = layout_of(name, words)
    maps = maps_in(layout, words)
    check_maps(maps)
    known = dict.fromkeys([*emotions, *layout.emotions])
    problems = [
        f"{source}={label}: no such emotion; there are {', '.join(known)}"
        for source, label in maps.items()
        if label not in known
    ]
    if problems:
        raise UserErrors(f"options of the corpus {name}", problems)
    complete(layout, {option: value for option, value in words.items() if plain(option) not in maps})
