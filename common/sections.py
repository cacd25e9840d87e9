"""The sections that every configuration has, and which of them a method reads.

Owns their names. Must not know what one says.
"""

from collections.abc import Mapping

from common.release import ReleaseConfig
from common.settings import (
    CampaignConfig,
    ChatziagapiConfig,
    CompareConfig,
    CorpusConfig,
    FeatureConfig,
    FinetuningConfig,
    MethodsConfig,
    NetworkConfig,
    OptimizerConfig,
    PretrainingConfig,
    RecognizerConfig,
    RuntimeConfig,
    SamplingConfig,
    Section,
    VectorConfig,
)

SHARED: Mapping[str, type[Section]] = {
    "corpus": CorpusConfig,
    "features": FeatureConfig,
    "vectors": VectorConfig,
    "methods": MethodsConfig,
    "network": NetworkConfig,
    "optimizer": OptimizerConfig,
    "pretraining": PretrainingConfig,
    "finetuning": FinetuningConfig,
    "release": ReleaseConfig,
    "chatziagapi": ChatziagapiConfig,
    "sampling": SamplingConfig,
    "recognizer": RecognizerConfig,
    "compare": CompareConfig,
    "campaign": CampaignConfig,
    "runtime": RuntimeConfig,
}
"""The sections that every configuration has, by name: a method may read one, and call none of its own so."""


def sections_of(kind: type[Section]) -> dict[str, type[Section]]:
    """The sections that a method's settings are made of, by name."""
    found = {name: field.annotation for name, field in kind.model_fields.items()}
    return {name: one for name, one in found.items() if isinstance(one, type) and issubclass(one, Section)}
