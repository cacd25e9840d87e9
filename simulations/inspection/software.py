"""What is installed, in which version, and whether it is what this project asks for."""

import sys
from collections.abc import Callable, Iterable
from importlib import metadata

from packaging.requirements import Requirement

from simulations.inspection.finding import Finding

REINSTALL = "run `make install`, which installs the locked versions"


def python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Finding:
    """The interpreter."""
    seen = ".".join(str(part) for part in version)
    if version < (3, 11):
        return Finding("python", "fail", f"{seen} is too old", "make .venv anew with Python 3.11 or newer")
    return Finding("python", "ok", f"{seen} at {sys.prefix}")


def packages(requirements: Iterable[str] | None = None, installed: Callable[[str], str] = metadata.version) -> Finding:
    """Every run-time dependency and the optional federation part, against the ranges that the project declares."""
    if requirements is None:
        requirements = metadata.requires("eyesoff") or ()
    seen, wrong = [], []
    for requirement in map(Requirement, requirements):
        if requirement.marker and not requirement.marker.evaluate({"extra": "federation"}):
            continue
        try:
            version = installed(requirement.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        seen.append(f"{requirement.name} {version}")
        if version not in requirement.specifier:
            wrong.append(f"{requirement.name} {version} is outside {requirement.specifier}")
    if wrong:
        return Finding("packages", "fail", "; ".join(wrong), REINSTALL)
    return Finding("packages", "ok", ", ".join(seen))


EXTRAS = {"opensmile": "audEERING Research License, research only", "transformers": "Apache-2.0; each encoder its own"}
"""Packages of the extras opensmile and ssl, and their licences."""


def extras(installed: Callable[[str], str] = metadata.version) -> Finding:
    """Optional sets of features, whose licences follow what is trained on them."""
    seen = []
    for name, licence in EXTRAS.items():
        try:
            seen.append(f"{name} {installed(name)} ({licence})")
        except metadata.PackageNotFoundError:
            seen.append(f"{name} is not installed ({licence})")
    return Finding("extras", "ok", "; ".join(seen))


def audio(load: Callable[[], tuple[str, bool]] | None = None) -> Finding:
    """Whether torchaudio fits the torch beside it, and whether FLAC can be read."""
    try:
        version, flac = (load or _load_audio)()
    except (ImportError, OSError) as error:  # a torchaudio of another build fails with the loader's OSError
        reason = str(error).splitlines()[0]
        return Finding(
            "audio",
            "fail",
            f"torchaudio does not load: {reason}",
            f"torch and torchaudio differ; {REINSTALL}",
        )
    if not flac:
        return Finding("audio", "fail", "soundfile cannot read FLAC", f"its libsndfile is too old; {REINSTALL}")
    return Finding("audio", "ok", f"torchaudio {version} loads, FLAC and WAV can be read")


def _load_audio() -> tuple[str, bool]:
    import soundfile
    import torchaudio

    return torchaudio.__version__, "FLAC" in soundfile.available_formats()
