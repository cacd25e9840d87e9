"""Vectors of public speech come with the package, are of this version of their set, and can be made again."""

from dataclasses import replace

import pytest
import torch

from common.corpora.manifest import Manifest
from common.errors import UserError
from common.features import public
from common.features.functionals import NAMES
from common.features.public import FOLDER, make_public_vectors, public_standard, public_vectors
from common.features.vectors import vectors_for
from common.settings import VectorConfig


def test_they_are_of_this_version_of_the_functionals_and_small() -> None:
    vectors = public_vectors("functionals")
    assert vectors.shape == (200, len(NAMES))
    assert vectors.isfinite().all()
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 1.5e6


def test_they_speak_as_people_do() -> None:
    vectors = public_vectors("functionals")
    pitch = vectors[:, NAMES.index("semitones.level.mean")]
    assert 5 < float(pitch.min()) < float(pitch.max()) < 32  # 73 Hz to 350 Hz
    assert 0.2 < float(vectors[:, NAMES.index("voiced.share")].mean()) < 0.8
    assert float(vectors[:, NAMES.index("duration")].max()) == 3.0


def test_what_is_done_to_a_copy_is_not_done_to_them() -> None:
    public_vectors("functionals").zero_()
    assert float(public_vectors("functionals").abs().sum()) > 0


def test_a_set_without_any_is_named() -> None:
    with pytest.raises(UserError, match=r"no vectors of public speech.*opensmile\.IS11"):
        public_vectors("opensmile.IS11")


def test_a_copy_of_the_code_without_them_finds_those_that_are_installed(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(public, "FOLDER", tmp_path / "public_vectors")
    monkeypatch.syspath_prepend(str(FOLDER.parents[2]))
    public._read.cache_clear()
    assert public_vectors("functionals").shape == (200, len(NAMES))
    public._read.cache_clear()


def test_another_version_of_the_set_is_refused(monkeypatch) -> None:
    own = public.feature_set("functionals")
    monkeypatch.setattr(public, "feature_set", lambda name: replace(own, version="0"))
    public._read.cache_clear()
    with pytest.raises(UserError, match="another version"):
        public_vectors("functionals")
    public._read.cache_clear()


def test_their_scale_is_a_scale_of_examples(manifest, runtime) -> None:
    raw = vectors_for(manifest, VectorConfig(normalisation="training"), runtime)
    scaled = vectors_for(manifest, VectorConfig(normalisation="public"), runtime)
    assert torch.equal(scaled.scaled, public_standard("functionals").apply(raw.scaled))


def test_the_same_speech_makes_the_same_ones_one_a_speaker(manifest: Manifest, tmp_path, monkeypatch) -> None:
    assert make_public_vectors(manifest, VectorConfig(), tmp_path / "functionals") == 2
    monkeypatch.setattr(public, "FOLDER", tmp_path)
    public._read.cache_clear()
    first = public_vectors("functionals")
    make_public_vectors(manifest, VectorConfig(), tmp_path / "functionals")
    public._read.cache_clear()
    assert torch.equal(public_vectors("functionals"), first)
    public._read.cache_clear()
