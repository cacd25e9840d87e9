"""Compare: the paper's Table 2 on any corpus, mode beside mode under one protocol.

Owns what a mode is, the graph of units that a comparison consists of, how they are computed and what they come to. Must
not know how its results are shown.
"""
