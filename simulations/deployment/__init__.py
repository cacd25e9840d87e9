"""A federation between machines that do not trust each other: certificates, keys, processes, and how to ask them.

Owns what `eyesoff deploy` does. Flower is used through its own commands alone.
"""
