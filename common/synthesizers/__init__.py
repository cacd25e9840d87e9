"""Models that can be fitted where the data is and sampled where it is not.

Owns how each is sampled. Must not know where a release came from or what is trained on the samples.
"""

from common.synthesizers.conditional import ConditionalSampler, Sampler

__all__ = ["ConditionalSampler", "Sampler"]
