"""How much a release tells of who was in the data: half-split twins, scores, findings, a verdict.

Owns the audit as plain functions, the same at a site and for whoever owns the data of a simulation. Must not know a
synthesizer, nor where a verdict is written down.
"""
