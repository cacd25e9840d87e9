"""From a layout and a folder to a manifest, or to one report of everything that is wrong with the folder.

Owns the order of the checks, the choice of emotions, the look at every header. Must not know any one layout.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from common.cores import usable_cores
from common.corpora.audio import AudioError, probe
from common.corpora.labels import check_maps, complaints, mapped, maps_in, plain, unmet
from common.corpora.layout import ANYWHERE, Clip, Layout
from common.corpora.manifest import BadFile, Manifest, Utterance
from common.corpora.parts import overlapping
from common.errors import UserError, UserErrors

Progress = Callable[[int, int], object]
"""Told how many are done, and of how many."""


class OtherEmotions(UserError):  # noqa: N818 - it says what is there
    """A corpus of nothing but emotions that nobody asked for."""


UNKNOWN = "unknown emotion"
_THREADS = 2 * usable_cores()  # a look at a header mostly waits for the disk


def check_root(layout: Layout, root: Path, all_layouts: Iterable[Layout]) -> None:
    """That the corpus lies at the root; the error knows the likely slips."""
    if layout.is_at(root) or not layout.markers:
        return
    if not root.exists():
        raise UserError("no such folder", where=root, remedy=_missing(layout))
    if root.is_dir() and not any(root.iterdir()):
        raise UserError("the folder is empty", where=root, remedy=f"{layout.title} should lie there: {layout.example}")
    remedy = f"it should hold {layout.example}"
    folders = [root.parent, *sorted(path for path in root.iterdir() if path.is_dir())] if root.is_dir() else []
    if nearby := [folder for folder in folders if layout.is_at(folder)]:
        remedy += f"; did you mean --root {nearby[0]}?"
    elif alike := [other.name for other in all_layouts if other.markers != ANYWHERE and other.is_at(root)]:
        remedy += f"; it looks like the corpus {alike[0]}"
    raise UserError(f"this is not {layout.title}", where=root, remedy=remedy)


def _missing(layout: Layout) -> str:
    return f"pass --root with the folder of {layout.title}, or mend root in the site's file"


def read_layout(
    layout: Layout,
    root: Path,
    emotions: Sequence[str],
    options: Mapping[str, str],
    *,
    skip_bad: bool,
    progress: Progress | None,
) -> Manifest:
    """Every recording of the chosen emotions; unusable files are an error, or skipped and recorded."""
    maps = maps_in(layout, options)
    check_maps(maps)
    own = {option: value for option, value in options.items() if plain(option) not in maps}
    found = list(layout.find(root, **complete(layout, own)))
    findings = list(mapped(found, maps))
    clips, bad = _sift(findings, {*layout.emotions, *emotions})
    _check_emotions(layout, emotions, clips)
    chosen = [clip for clip in clips if clip.emotion is None or clip.emotion in emotions]
    left_out = Counter(clip.emotion for clip in clips if clip.emotion is not None and clip.emotion not in emotions)
    folder = root.parent if root.is_file() else root
    looked = list(_look(folder, chosen, progress))
    bad += [one for one in looked if isinstance(one, BadFile)]
    utterances, twice = _said_once([one for one in looked if isinstance(one, Utterance)])
    bad += twice
    if bad and not skip_bad:
        remedy = "mend them, or go on without them with --skip-bad"
        if any(file.reason.startswith(UNKNOWN) for file in bad):
            remedy = f"{remedy}; map labels by --option, such as --option anger=angry"
        raise UserErrors(
            f"corpus {layout.name} at {root}: {len(bad)} unusable; {remedy}",
            complaints(bad),
        )
    if not utterances:
        kind = OtherEmotions if left_out else UserError
        remedy = _why_none(layout, options, bad, left_out)
        raise kind(f"no usable recording of {layout.title}", where=root, remedy=remedy)
    told = (*layout.notes(root), *unmet(found, maps))
    labels, held = tuple(emotions), tuple(utterances)
    return Manifest(layout.name, folder, labels, held, tuple(bad), dict(left_out), source=root, notes=told)


def _why_none(layout: Layout, options: Mapping[str, str], bad: Sequence[BadFile], left_out: Mapping[str, int]) -> str:
    if left_out:
        return f"there are other emotions: {', '.join(f'{emotion} ({n})' for emotion, n in left_out.items())}"
    if bad:
        return f"all {len(bad)} were unusable and skipped, the first: {bad[0].path}: {bad[0].reason}"
    chosen = " and ".join(f"{option}={value}" for option, value in options.items())
    return f"none fits {chosen}" if chosen else f"it should hold {layout.example}"


def complete(layout: Layout, options: Mapping[str, str]) -> dict[str, str]:
    """The options given, checked, and the defaults of the others."""
    problems = []
    for option, value in options.items():
        choices = layout.options.get(option)
        if choices is None:
            problems.append(f"{option}: no such option; there is {', '.join(layout.options) or 'none'}")
        elif value not in choices:
            problems.append(f"{option}={value}: choose from {', '.join(choices)}")
    if problems:
        raise UserErrors(f"options of the corpus {layout.name}", problems)
    return {option: options.get(option, choices[0]) for option, choices in layout.options.items()}


def _check_emotions(layout: Layout, emotions: Sequence[str], clips: Iterable[Clip]) -> None:
    """A chosen emotion that the corpus cannot have is a slip of the pen; one that it merely lacks is not."""
    possible = {*layout.emotions, *(clip.emotion for clip in clips)}
    strange = [emotion for emotion in emotions if emotion not in possible]
    if layout.emotions and strange:
        raise lacking(layout, strange)


def lacking(layout: Layout, strange: Sequence[str]) -> UserError:
    """What is said of emotions that a corpus cannot have."""
    remedy = f"it knows {', '.join(layout.emotions)}"
    return UserError(f"the corpus {layout.name} has no emotion", where=", ".join(strange), remedy=remedy)


def _sift(findings: Iterable[Clip | BadFile], known: set[str]) -> tuple[list[Clip], list[BadFile]]:
    """Clips that can be looked at, and all that stands twice or carries an emotion nobody knows."""
    clips: dict[str, Clip] = {}
    bad, torn = [], dict[str, str]()
    for finding in findings:
        if isinstance(finding, BadFile):
            bad.append(finding)
        elif (other := clips.get(finding.name)) is not None:
            if other.emotion != finding.emotion:
                torn[finding.name] = f"stands twice in the corpus, as {other.emotion} and as {finding.emotion}"
            else:
                bad.append(BadFile(finding.name, "stands twice in the corpus"))
        elif finding.emotion is not None and finding.emotion not in known:
            reason = f"{UNKNOWN} {finding.emotion!r}; known are {', '.join(sorted(known))}"
            bad.append(BadFile(finding.name, reason))
        else:
            clips[finding.name] = finding
    whole = [clip for name, clip in clips.items() if name not in torn]  # nobody knows which label is right
    return whole, [*bad, *(BadFile(name, reason) for name, reason in torn.items())]


def _look(folder: Path, clips: Sequence[Clip], progress: Progress | None) -> Iterable[Utterance | BadFile]:
    """Each clip with its duration, or what is wrong with it; each file is looked at once, however many parts it has."""

    def look(path: str) -> float | str:
        try:
            return probe(folder / path).seconds
        except AudioError as error:
            return error.reason

    files = list(dict.fromkeys(clip.path for clip in clips))
    found: dict[str, float | str] = {}
    with ThreadPoolExecutor(_THREADS) as pool:
        for path, looked in zip(files, pool.map(look, files), strict=True):
            found[path] = looked
            if progress is not None:
                progress(len(found), len(files))
    return [_uttered(clip, found[clip.path]) for clip in clips]


def _uttered(clip: Clip, looked: float | str) -> Utterance | BadFile:
    if isinstance(looked, str):
        return BadFile(clip.name, looked)
    try:
        seconds = looked if clip.part is None else clip.part.seconds_in(looked)
    except ValueError as error:
        return BadFile(clip.name, str(error))
    about = (clip.emotion, clip.sex, clip.part, clip.split)
    return Utterance(clip.name, clip.speaker, clip.session, seconds, *about)


def _said_once(utterances: Sequence[Utterance]) -> tuple[list[Utterance], list[BadFile]]:
    """Without those whose speaker says some of it in another one too: it would count twice, or have two labels."""

    def span(one: Utterance) -> tuple[float, float]:
        start = 0.0 if one.part is None else one.part.start
        return start, start + one.seconds

    twice = {
        one.path: BadFile(one.path, f"overlaps {other.path} of the same speaker")
        for one, other in overlapping(utterances, lambda one: (one.file, one.speaker), span)
    }
    return [one for one in utterances if one.path not in twice], list(twice.values())
