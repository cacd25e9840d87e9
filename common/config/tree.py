"""The whole tree of settings, on top of `common`: every section, and what names a configuration.

Owns which sections there are and the identity hash. Must not read files or know a preset.
"""

from typing import Any

from pydantic import Field

from common.settings import (
    CampaignConfig,
    ChatziagapiConfig,
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
    hash_identity,
)

ASIDE = ("name", "campaign", "runtime")
"""What is not part of a configuration's identity."""


class Config(Section):
    """Everything that defines a run, and `campaign` and `runtime`, which do not."""

    name: str = "custom"
    seed: int = Field(0, ge=0, lt=2**31)
    corpus: CorpusConfig = CorpusConfig()
    features: FeatureConfig = FeatureConfig()
    methods: MethodsConfig = MethodsConfig()
    network: NetworkConfig = NetworkConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
    finetuning: FinetuningConfig = FinetuningConfig()
    chatziagapi: ChatziagapiConfig = ChatziagapiConfig()
    sampling: SamplingConfig = SamplingConfig()
    recognizer: RecognizerConfig = RecognizerConfig()
    campaign: CampaignConfig = CampaignConfig()
    runtime: RuntimeConfig = RuntimeConfig()

    def identity(self) -> dict[str, Any]:
        """Every setting that defines a result, as plain data."""
        return self.model_dump(mode="json", exclude=set(ASIDE))

    def identity_hash(self) -> str:
        """Twelve characters that name this result wherever one is stored."""
        return hash_identity(self.identity())

    def campaign_name(self) -> str:
        """What a campaign of this configuration is called; sites see it, and draw by it.

        Made of what a tuning reads and of nothing else: a setting of a later stage draws the same releases.
        """
        from common.synthesizers import synthesizer  # which brings torch; a configuration alone needs none

        method = synthesizer(self.methods.synthesizer)
        read = {
            "corpus": self.corpus.model_dump(mode="json"),
            "features": self.features.model_dump(mode="json"),
            "seed": self.seed,
            "synthesizer": method.name,
            "settings": method.settings_of(self).model_dump(mode="json"),
        }
        return f"{self.corpus.name}-{hash_identity(read)}"
