"""The report of a comparison: one HTML file that needs nothing else, and its figures as PNG beside it.

Owns how results and evidence are shown. Must not know how they were computed: it reads what
`simulations.comparison.results` tells of, and nothing besides.
"""
