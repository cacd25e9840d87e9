"""The options that several commands share, so that they are spelled and explained once.

Owns their types and how a configuration is chosen by them. Must not know what a command does with it.
"""

import json
import math
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from common.errors import UserError
from simulations import completion

if TYPE_CHECKING:
    from common.config import Config

Preset = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help="A preset, such as demo, best, small, emodb or paper.",
        show_default=False,
        autocompletion=completion.presets,
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", help="A TOML file instead of a preset.", show_default=False),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="SECTION.KEY=VALUE",
        help="Override one setting, such as --set network.width=0.125; may be repeated.",
        show_default=False,
    ),
]
Corpus = Annotated[
    str | None,
    typer.Option(
        "--corpus", metavar="NAME", help="Corpus; by default the configuration's.", autocompletion=completion.corpora
    ),
]
Root = Annotated[str | None, typer.Option("--root", metavar="DIR", help="Its folder; the built-in corpus needs none.")]
SiteFile = Annotated[Path, typer.Option("--site", metavar="FILE", help="The file of the site.", show_default=False)]
Option = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="KEY=VALUE",
        help="A choice of the corpus's layout, such as dialogs=improvised (iemocap) or subset=train-clean-360 "
        "(librispeech), or a label and what it counts as, such as anger=angry; may be repeated.",
        show_default=False,
    ),
]
SkipBad = Annotated[
    bool, typer.Option("--skip-bad", help="Go on without the files that cannot be used, and list them.")
]
Cache = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        help="Where features are kept; by default eyesoff in $XDG_CACHE_HOME, or where the system keeps caches.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output instead.")]
PageFile = Annotated[
    Path | None,
    typer.Option("--page", metavar="FILE", help="Write it as one page for a browser, too.", show_default=False),
]

Skew = Annotated[
    float | None,
    typer.Option(
        "--skew",
        metavar="CONCENTRATION",
        help="For study: each session keeps its emotions after a Dirichlet draw, such as 1.0, or 0.3 for more skew.",
        show_default=False,
    ),
]
SkewSeed = Annotated[
    int | None, typer.Option("--skew-seed", metavar="N", help="Seed of that draw; 0 by default.", show_default=False)
]


def corpus_overrides(
    corpus: str | None = None,
    root: str | None = None,
    skew: float | None = None,
    skew_seed: int | None = None,
    cache: Path | None = None,
    option: list[str] | None = None,
    *,
    skip_bad: bool = False,
) -> list[str]:
    """What --corpus, --root, --option, --skip-bad, --skew, --skew-seed and --cache mean as settings.

    >>> corpus_overrides("emodb", "data/EMO-DB", 0.3, option=["anger=angry"], skip_bad=True)
    ['corpus.name="emodb"', 'runtime.corpus_root="data/EMO-DB"', 'corpus.options=["anger=angry"]', \
'corpus.skip_bad=true', 'corpus.skew=0.3']
    """
    named = {
        "corpus.name": corpus,
        "runtime.corpus_root": root,
        "corpus.options": [f"{key}={value}" for key, value in option_pairs(option).items()] or None,
        "corpus.skip_bad": skip_bad or None,
        "corpus.skew": skew,
        "corpus.skew_seed": skew_seed,
        "runtime.cache": None if cache is None else str(cache),
    }
    return [
        f"{place}={json.dumps(value, ensure_ascii=False)}" for place, value in named.items() if value not in (None, "")
    ]


def option_pairs(texts: Sequence[str] | None) -> dict[str, str]:
    """What --option names, each time it is given: keys and their values.

    >>> option_pairs(["dialogs=improvised", "sehr froh = happy"])
    {'dialogs': 'improvised', 'sehr froh': 'happy'}
    """
    pairs: dict[str, str] = {}
    for text in texts or ():
        key, _, value = (part.strip() for part in text.partition("="))
        if not key or not value:
            raise UserError("not an option", where=text or "''", remedy="write it as --option key=value")
        if key in pairs:
            raise UserError("an option is given twice", where=f"{key}={pairs[key]}, {text}", remedy="give it once")
        pairs[key] = value
    return pairs


def finite(number: float) -> float:
    """Refuse what is no number, which no bound of an option does."""
    if not math.isfinite(number):
        raise typer.BadParameter(f"{number} is not a finite number")
    return number


def choose_config(
    preset: str | None, config_file: Path | None, overrides: list[str] | None, *, default: str = "demo"
) -> "Config":
    """The configuration that the three options name together; the preset `default` where they name none."""
    from common.config import PRESETS, load_config

    if preset and config_file:
        raise UserError("--preset and --config both name a configuration", remedy="give one of them")
    if preset and preset not in PRESETS:
        raise UserError("no such preset", where=preset, remedy=f"choose one of {', '.join(PRESETS)}")
    return load_config(config_file or preset or default, overrides or ())


def write_page(path: Path, page: str) -> None:
    """A page about a site is its owner's alone to read, and says on the error stream where it lies."""
    from common.files import atomic_write

    atomic_write(path, page.encode(), mode=0o600)
    typer.echo(f"page: {path}", err=True)


def cache_folder(cache: Path | None) -> Path:
    """What --cache names, for a command that has no configuration."""
    from common.settings import RuntimeConfig

    return RuntimeConfig(cache="" if cache is None else str(cache)).cache_folder


def placeless_command() -> str:
    """The line that was typed, without the folders of this machine: what results and cards tell."""
    return shlex.join(["eyesoff", *map(_placeless, sys.argv[1:])])


def _placeless(word: str) -> str:
    """A word of the command without the folders of this machine.

    >>> _placeless("/home/ann/corpora/EMO-DB"), _placeless("--root=/home/ann/EMO-DB"), _placeless("runs/emodb")
    ('EMO-DB', '--root=EMO-DB', 'runs/emodb')
    """
    return re.sub(r"""(^|[="'])[/~][^="']*/""", r"\1", word.rstrip("/"))
