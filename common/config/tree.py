"""The whole tree of settings, on top of `common`: every section, and what names a configuration.

Owns which sections there are and the identity hash. Must not read files or know a preset.
"""

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from common.config.added import details_of, read_added
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
    hash_identity,
)
from common.spaces import Patches

DEFAULTS = 1
"""Raise it when the default of a setting changes: the hash has no other way to tell."""
ASIDE = ("name", "compare", "campaign", "runtime")
"""What is not part of a configuration's identity."""


class Config(Section):
    """Everything that defines a run, and `compare`, `campaign` and `runtime`, which do not.

    A method of a registry may bring a section of its own, which is read here by its name.
    """

    model_config = ConfigDict(extra="allow")
    name: str = Field("custom", description="what reports call it; no part of its identity")
    seed: int = Field(0, ge=0, lt=2**31, description="of every draw; another seed is another repetition")
    corpus: CorpusConfig = CorpusConfig()
    features: FeatureConfig = FeatureConfig()
    vectors: VectorConfig = VectorConfig()
    methods: MethodsConfig = MethodsConfig()
    network: NetworkConfig = NetworkConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    pretraining: PretrainingConfig = PretrainingConfig()
    finetuning: FinetuningConfig = FinetuningConfig()
    release: ReleaseConfig = Field(ReleaseConfig(), exclude_if=lambda form: form == ReleaseConfig())
    chatziagapi: ChatziagapiConfig = ChatziagapiConfig()
    sampling: SamplingConfig = SamplingConfig()
    recognizer: RecognizerConfig = RecognizerConfig()
    compare: CompareConfig = CompareConfig()
    campaign: CampaignConfig = CampaignConfig()
    runtime: RuntimeConfig = RuntimeConfig()

    @model_validator(mode="wrap")
    @classmethod
    def _with_added_sections(cls, tree: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        known = frozenset(cls.model_fields)
        if not isinstance(tree, Mapping) or tree.keys() <= known:
            return handler(tree)
        added, mistakes = read_added(tree, known)
        try:
            whole = handler({name: tree[name] for name in tree if name in known} | added)
        except ValidationError as error:
            mistakes = details_of(error) + mistakes
        if mistakes:
            raise ValidationError.from_exception_data("Config", mistakes)
        return whole

    @property
    def added(self) -> dict[str, Section]:
        """Sections that methods brought, and that say other than their defaults."""
        return dict(self.__pydantic_extra__ or {})

    def identity(self) -> dict[str, Any]:
        """Every setting that defines a result, as plain data."""
        return self.model_dump(mode="json", exclude=set(ASIDE))

    def identity_hash(self) -> str:
        """Twelve characters that name this result wherever one is stored.

        Made of what differs from the defaults, so that a setting that comes later renames nothing.
        """
        told = self.model_dump(mode="json", exclude=set(ASIDE), exclude_defaults=True)
        return hash_identity({"defaults": DEFAULTS, **told})

    def campaign_name(self) -> str:
        """What a campaign of this configuration is called; sites see it, and draw by it.

        Made of what a tuning reads and of nothing else: a setting of a later stage draws the same releases.
        """
        from common.synthesizers import synthesizer  # which brings torch; a configuration alone needs none

        method = synthesizer(self.methods.synthesizer)
        features = self.features if Patches in method.spaces else self.vectors
        read = {
            "corpus": self.corpus.model_dump(mode="json"),
            "features": features.model_dump(mode="json"),
            "seed": self.seed,
            "synthesizer": method.name,
            "settings": method.settings_of(self).model_dump(mode="json"),
        }
        if self.methods.augmentation != "none":
            read |= {"augmentation": self.methods.augmentation, "made_of_one": self.methods.made_of_one}
        return f"{self.corpus.name}-{hash_identity(read)}"
