"""How the networks learn: a game of phases, the paper's three stages, the recognizer, and what surrounds them.

Owns the order of a step, losses, checkpoints and reports. Must not know a corpus's layout, or who asked.
"""
