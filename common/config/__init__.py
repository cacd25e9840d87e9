"""One frozen, typed tree of settings, and how it is read, overridden, judged and named.

Owns every number that a user may change. Must not know how any of them is used.
"""

from common.config.loading import PRESETS, load_config, preset_path
from common.config.tree import Config
from common.settings import (
    AdversarialConfig,
    AutoencoderConfig,
    CampaignConfig,
    ChatziagapiConfig,
    CorpusConfig,
    FeatureConfig,
    FinetuningConfig,
    NetworkConfig,
    OptimizerConfig,
    PretrainingConfig,
    RecognizerConfig,
    RuntimeConfig,
    SamplingConfig,
)

__all__ = [
    "PRESETS",
    "AdversarialConfig",
    "AutoencoderConfig",
    "CampaignConfig",
    "ChatziagapiConfig",
    "Config",
    "CorpusConfig",
    "FeatureConfig",
    "FinetuningConfig",
    "NetworkConfig",
    "OptimizerConfig",
    "PretrainingConfig",
    "RecognizerConfig",
    "RuntimeConfig",
    "SamplingConfig",
    "load_config",
    "preset_path",
]
