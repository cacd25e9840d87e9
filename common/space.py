"""The space that patches live in: the rate of their sound, and how many bands and frames a picture has.

Owns these constants. Must not know how a patch is made or what is done with one.
"""

SAMPLE_RATE = 16_000
SIDE = 128
"""Mel bands and frames of a patch alike: about two seconds."""
