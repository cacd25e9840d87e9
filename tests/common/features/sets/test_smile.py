"""openSMILE's sets by its documented interface, which is played here; the package itself is tried where it is."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from common.errors import UserError
from common.features.sets import feature_set, licence_of, smile
from common.features.vectors import identity_of_vectors, space_of_vectors, vectors_for
from common.settings import VectorConfig

NAMES = ["loudness", "least", "most"]


class Smile:
    """As the package's: samples [channels, n] and a rate to [channels, features, 1]."""

    def __init__(self, which, level) -> None:
        self.config_path = which.path if hasattr(which, "path") else which
        if Path(self.config_path).read_text() == "broken":
            raise RuntimeError("Code: 1")
        self.level, self.feature_names = level, NAMES

    def __call__(self, signal, rate):
        assert (signal.ndim, rate) == (2, 16_000)
        sixteen = (signal * 32768).astype(np.int64).astype(np.int16) / 32768  # without a look, as there
        found = np.array([np.abs(sixteen).mean(), sixteen.min(), sixteen.max()])
        return np.full((1, 3, 1), np.nan) if signal.shape[1] < 1600 else found[None, :, None]


@pytest.fixture
def package(monkeypatch, tmp_path):
    """The package's names that are used."""
    sets = []
    for name in ("IS11_speaker_state", "emobase"):
        path = tmp_path / f"{name}.conf"
        path.write_text(name)
        sets.append(SimpleNamespace(name=name, path=str(path)))
    played = SimpleNamespace(
        __version__="2.6.0", Smile=Smile, FeatureSet=sets, FeatureLevel=SimpleNamespace(Functionals="func")
    )
    monkeypatch.setitem(sys.modules, "opensmile", played)
    for cache in (feature_set, smile._opened):
        cache.cache_clear()
    yield tmp_path
    for cache in (feature_set, smile._opened):
        cache.cache_clear()


def test_a_missing_package_is_told_with_its_licence_and_the_remedy(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "opensmile", None)
    smile._opened.cache_clear()
    with pytest.raises(UserError, match=r"is not installed.*IS11.*eyesoff\[opensmile\].*research only"):
        smile.smile_set("IS11", {})


def test_a_set_has_the_packages_names_its_version_and_a_digest_of_its_configuration(package) -> None:
    own = feature_set("opensmile:IS11")
    assert own.names == tuple(NAMES)
    assert own.version.startswith("2.6.0.")
    assert own.name.startswith("opensmile.IS11.")
    assert "research only" in own.licence
    smile._opened.cache_clear()
    (package / "IS11_speaker_state.conf").write_text("another")
    assert smile.smile_set("IS11", {}).digest != own.digest


def test_full_scale_does_not_become_the_most_negative_number(package) -> None:
    loud = np.ones(16_000, np.float32)
    assert feature_set("opensmile:emobase").extract(loud)[1] > 0.99
    assert Smile(SimpleNamespace(path=str(package / "emobase.conf")), "func")(loud[None], 16_000)[0, 1, 0] == -1.0


def test_a_configuration_of_ones_own_is_a_set(package) -> None:
    mine = package / "my own.conf"
    mine.write_text("mine")
    assert feature_set(f"opensmile:{mine}").name.startswith("opensmile.my-own.")


@pytest.mark.parametrize(
    ("which", "word"),
    [("IS99", "no such set"), ("", "which set"), ("nowhere.conf", "no such configuration"), ("broken.conf", "Code: 1")],
)
def test_what_is_not_there_or_cannot_be_read_is_named(package, which, word) -> None:
    (package / "broken.conf").write_text("broken")
    where = str(package / which) if which == "broken.conf" else which
    with pytest.raises(UserError, match=word):
        smile.smile_set(where, {})


def test_its_vectors_are_cached_and_named_by_the_set(package, manifest, runtime) -> None:
    settings = VectorConfig(set="opensmile:emobase", normalisation="training")
    found = vectors_for(manifest, settings, runtime)
    assert found.raw.shape == (8, 3)
    assert space_of_vectors(settings).size == 3
    assert identity_of_vectors(settings) != identity_of_vectors(VectorConfig())


@pytest.mark.slow
def test_the_package_itself_gives_the_sizes_that_papers_print() -> None:
    pytest.importorskip("opensmile")
    for cache in (feature_set, smile._opened):
        cache.cache_clear()
    chance = np.random.default_rng(0)
    waveform = (0.1 * chance.standard_normal(16_000)).astype(np.float32)
    for name, size in {"IS09": 384, "emobase": 988, "IS10": 1582, "IS11": 4368, "eGeMAPS": 88}.items():
        vector = feature_set(f"opensmile:{name}").extract(waveform)
        assert vector.shape == (size,)
        assert vector.dtype == np.float32
        assert np.isfinite(vector).all()


def test_its_licence_is_known_by_a_spaces_name_where_the_package_is_not() -> None:
    assert "research only" in licence_of("opensmile.IS11.0123456789ab")
    assert licence_of("functionals") == "Apache-2.0"
    assert licence_of("somebodys") == "unknown here"
