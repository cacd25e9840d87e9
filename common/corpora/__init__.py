"""Speech corpora in their published layouts, all as one manifest type.

Owns the registry: which corpora there are and how one is read. One module a layout, none knowing another; other
packages add theirs by the entry point group `eyesoff.corpora`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from common.corpora import (
    audformat,
    audiofolder,
    cremad,
    emodb,
    files,
    iemocap,
    joint,
    lhotse,
    librispeech,
    mspimprov,
    ravdess,
    table,
)
from common.corpora.layout import Clip, Layout
from common.corpora.manifest import Manifest
from common.corpora.reading import OtherEmotions, Progress, check_root, read_layout
from common.errors import UserError
from common.registry import Registry
from common.settings import EMOTIONS, CorpusConfig, RuntimeConfig, option_words

__all__ = ["CORPORA", "Layout", "OtherEmotions", "Progress", "labelled_corpus", "layout_of", "read_corpus"]


def _speak(root: Path, progress: Progress | None = None) -> Iterator[Clip]:
    from common.corpora import builtin  # brings torch, which no published corpus needs

    for utterance in builtin.generate(root, progress=progress).utterances:
        yield Clip(utterance.path, utterance.speaker, utterance.session, utterance.emotion, utterance.sex)


_BUILTIN = Layout(
    name="builtin",
    title="the built-in corpus",
    example="",
    markers=(),  # it is made where it is missing
    licence="nobody's voice: a program made it",
    emotions=EMOTIONS,
    find=_speak,
)

CORPORA: Registry[Layout] = Registry(
    "corpus",
    (
        librispeech.LAYOUT,
        iemocap.LAYOUT,
        emodb.LAYOUT,
        mspimprov.LAYOUT,
        ravdess.LAYOUT,
        cremad.LAYOUT,
        audformat.LAYOUT,
        lhotse.LAYOUT,
        audiofolder.LAYOUT,
        table.LAYOUT,
        files.LAYOUT,
        joint.LAYOUT,
        _BUILTIN,
    ),
    "LAYOUT",
    "eyesoff.corpora",
    Layout,
)


def corpus_root(name: str, given: str | Path | None, cache: Path) -> Path:
    """Where a corpus lies: where it is said to, and the built-in one, if nothing is said, in the cache."""
    CORPORA.get(name)
    if given:
        return Path(given)
    if name == _BUILTIN.name:
        return cache / "corpora" / name
    raise UserError("a corpus needs its folder", where=name, remedy="pass --root, or set runtime.corpus_root")


def read_corpus(
    name: str,
    root: str | Path,
    /,
    *,
    emotions: Sequence[str] = EMOTIONS,
    skip_bad: bool = False,
    progress: Progress | None = None,
    options: Mapping[str, str] | None = None,
    **more: str,
) -> Manifest:
    """The manifest of a corpus; `emotions` are its labels in order; recordings of others are only counted.

    Options of the layout are keywords, or, where they come from a person and may have any name, a mapping.

    Every file that cannot be used is named in one error, or, with `skip_bad`, in the manifest's `skipped`.
    """
    if twice := sorted({emotion for emotion in emotions if list(emotions).count(emotion) > 1}):
        raise UserError("an emotion is named twice", where=", ".join(twice), remedy="name each once")
    root, options = Path(root).expanduser(), {**(options or {}), **more}
    check_root(CORPORA.get(name), root, CORPORA)
    layout = layout_of(name, options)
    if layout is _BUILTIN:
        layout = replace(layout, find=partial(_speak, progress=progress))  # making it is what takes time
    return read_layout(layout, root, emotions, options, skip_bad=skip_bad, progress=progress)


def layout_of(name: str, options: Mapping[str, str]) -> Layout:
    """A corpus's layout, in the form that its options give it."""
    if name == joint.LAYOUT.name:
        return joint.layout_of(options, CORPORA)
    return files.layout_of(options) if name == files.LAYOUT.name else CORPORA.get(name)


def labelled_corpus(corpus: CorpusConfig, runtime: RuntimeConfig, progress: Progress | None = None) -> Manifest:
    """The labelled utterances of the corpus that settings name."""
    root = corpus_root(corpus.name, runtime.corpus_root, runtime.cache_folder)
    options = option_words(corpus.options)
    manifest = read_corpus(
        corpus.name, root, emotions=corpus.emotions, skip_bad=corpus.skip_bad, progress=progress, options=options
    )
    labelled = manifest.where(lambda utterance: utterance.emotion is not None)
    if corpus.skew == "none":
        return labelled
    from common.corpora.skew import as_set  # brings torch, which reading needs not

    return as_set(labelled, corpus.skew, corpus.skew_seed)
