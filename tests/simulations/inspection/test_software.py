"""Versions: every sign with its remedy."""

from importlib import metadata

import pytest

from simulations.inspection.software import audio, extras, packages, python

REQUIREMENTS = ["torch<2.12,>=2.11", 'pytest>=8; extra == "development"', 'flwr<1.42,>=1.41; extra == "federation"']


def installed(**versions: str):
    def version(name: str) -> str:
        try:
            return versions[name]
        except KeyError:
            raise metadata.PackageNotFoundError(name) from None

    return version


@pytest.mark.parametrize(("version", "sign"), [((3, 10, 14), "fail"), ((3, 11, 0), "ok"), ((3, 13, 1), "ok")])
def test_python_must_be_3_11_or_newer(version: tuple[int, ...], sign: str) -> None:
    assert python(version).sign == sign


def test_versions_in_their_ranges_are_well_and_all_told() -> None:
    finding = packages(REQUIREMENTS, installed(torch="2.11.0", flwr="1.41.0"))
    assert (finding.sign, finding.seen) == ("ok", "torch 2.11.0, flwr 1.41.0")


def test_a_missing_and_a_too_new_package_are_both_named() -> None:
    finding = packages(REQUIREMENTS, installed(torch="2.13.0"))
    assert (finding.sign, finding.seen) == ("fail", "torch 2.13.0 is outside <2.12,>=2.11; flwr is missing")
    assert "make install" in (finding.remedy or "")


def test_what_is_installed_here_is_in_range() -> None:
    assert packages().sign == "ok"
    assert audio().sign == "ok"


def test_a_torchaudio_of_another_build_is_told_in_one_line() -> None:
    def load() -> tuple[str, bool]:
        raise OSError("libc10_cuda.so: cannot open shared object file\nand a long tail")

    finding = audio(load)
    assert finding.sign == "fail"
    assert finding.seen == "torchaudio does not load: libc10_cuda.so: cannot open shared object file"


def test_a_sound_library_without_flac_fails() -> None:
    assert audio(lambda: ("2.11.0", False)).sign == "fail"


def test_extras_are_told_with_their_licences_whether_or_not_they_are_there() -> None:
    found = extras(installed(opensmile="2.6.0"))
    assert found.sign == "ok"
    assert "opensmile 2.6.0 (audEERING Research License, research only)" in found.seen
    assert "transformers is not installed" in found.seen
