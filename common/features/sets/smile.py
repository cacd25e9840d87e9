"""openSMILE's sets of functionals, through the optional extra `opensmile`.

Owns the way from a set's name or a `.conf` file to its numbers, and what its licence asks to be said. Must not know
what they are used for. Nothing derived from openSMILE is part of this project: no configuration, no feature.
"""

import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from common.errors import UserError
from common.features.sets import RESEARCH_ONLY
from common.features.sets.feature_set import FeatureSet, Vector, Waveform
from common.space import SAMPLE_RATE

MISSING = "pip install 'eyesoff[opensmile]'; " + RESEARCH_ONLY
SHORT = {"IS09": "IS09", "IS10": "IS10_paraling_compat", "IS11": "IS11_speaker_state", "IS12": "IS12_speaker_trait"}
SHORT |= {"IS13": "IS13_ComParE", "eGeMAPS": "eGeMAPSv02", "ComParE": "ComParE_2016", "GeMAPS": "GeMAPSv01b"}
"""What papers call a set, and how the package has it."""
LOUDEST = np.float32(32767 / 32768)
"""It turns samples into 16 bits without a look: full scale would become the most negative number."""
LEVEL = "func"
"""Of a configuration of the user's own."""


def smile_set(which: str, options: Mapping[str, str]) -> FeatureSet:
    """A shipped set by its name, or a configuration by its path."""
    if options:
        raise UserError("opensmile has no options", where=", ".join(options), remedy="leave vectors.options empty")
    if not which:
        raise UserError("which set of openSMILE?", remedy=f"opensmile:<set or .conf>, such as {', '.join(SHORT)}")
    smile, version, digest = _opened(which)
    stem = re.sub("[^A-Za-z0-9_.+-]", "-", Path(which).stem)[:32]
    names = tuple(smile.feature_names)
    name = f"opensmile.{stem}.{digest}"
    return FeatureSet(name, f"{version}.{digest}", RESEARCH_ONLY, names, lambda waveform: _vector(smile, waveform))


@lru_cache(maxsize=4)
def _opened(which: str) -> tuple[Any, str, str]:
    """The extractor, the package's version, and a digest of the configuration's file."""
    try:
        import opensmile  # takes seconds to load, and is there where somebody wants it
    except ImportError as error:
        raise UserError(f"openSMILE is not installed ({error.name or error})", where=which, remedy=MISSING) from None
    if which.endswith(".conf"):
        path = Path(which).expanduser()
        if not path.is_file():
            raise UserError("no such configuration of openSMILE", where=path, remedy="name a .conf that is there")
        smile = _made(lambda: opensmile.Smile(str(path), LEVEL), which)
    else:
        known = {one.name: one for one in opensmile.FeatureSet}
        wanted = known.get(SHORT.get(which, which), known.get(which))
        if wanted is None:
            remedy = f"there are {', '.join([*SHORT, *known])}"
            raise UserError("no such set of openSMILE", where=which, remedy=remedy)
        smile = _made(lambda: opensmile.Smile(wanted, opensmile.FeatureLevel.Functionals), which)
        path = Path(smile.config_path)
    return smile, opensmile.__version__, hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _made(make: Any, which: str) -> Any:
    try:
        smile = make()
        _ = smile.feature_names
    except Exception as error:  # whatever the library says of a configuration that it cannot read
        remedy = "it needs its include files beside it, external source and sink, and the level 'func'"
        raise UserError(f"openSMILE cannot read the configuration ({error})", where=which, remedy=remedy) from None
    return smile


def _vector(smile: Any, waveform: Waveform) -> Vector:
    """Raw units, up to millions: fp32."""
    safe = np.clip(waveform, -1, LOUDEST)
    return np.asarray(smile(safe[None], SAMPLE_RATE), np.float32).reshape(-1)
