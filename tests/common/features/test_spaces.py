"""A run's space follows from its methods."""

import pytest

from common.config import Config
from common.errors import UserError
from common.features.cache import Features
from common.features.spaces import features_in, identity_in, space_of
from common.features.vectors import VectorFeatures
from common.settings import FeatureConfig, VectorConfig
from common.spaces import PATCHES, Vectors

VECTORS = {"synthesizer": "gaussian", "recognizer": "svm"}


@pytest.fixture
def of_vectors() -> Config:
    return Config.model_validate({"methods": VECTORS})


def test_the_papers_methods_take_patches_and_a_gaussian_and_a_machine_vectors(of_vectors) -> None:
    assert space_of(Config()) == PATCHES
    assert space_of(of_vectors) == Vectors(set="functionals", size=1715, scale="session")


@pytest.mark.parametrize("change", [{"recognizer": "cnn"}, {"synthesizer": "eskimez"}])
def test_methods_without_a_common_space_are_one_error_that_names_both(change) -> None:
    config = Config.model_validate({"methods": VECTORS | change})
    with pytest.raises(UserError, match=f"{config.methods.recognizer}.*{config.methods.synthesizer}"):
        space_of(config)


def test_each_space_has_features_of_its_own_kind(manifest, runtime, of_vectors) -> None:
    assert isinstance(features_in(PATCHES, manifest, of_vectors, runtime), Features)
    assert isinstance(features_in(space_of(of_vectors), manifest, of_vectors, runtime), VectorFeatures)


def test_an_identity_is_of_the_settings_that_its_space_reads(of_vectors) -> None:
    space = space_of(of_vectors)
    other = of_vectors.model_copy(update={"vectors": VectorConfig(trim=0)})
    coarse = of_vectors.model_copy(update={"features": FeatureConfig(floor=1e-5)})
    assert identity_in(space, of_vectors) != identity_in(space, other)
    assert identity_in(space, of_vectors) == identity_in(space, coarse)
    assert identity_in(PATCHES, of_vectors) == identity_in(PATCHES, other)
    assert identity_in(PATCHES, of_vectors) != identity_in(PATCHES, coarse)
