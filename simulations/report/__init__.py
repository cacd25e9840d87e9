"""The report of a comparison: one HTML file that needs nothing else, and beside it figures and tables as files.

Owns how results and evidence are shown. Must not know how they were computed: it reads what
`simulations.comparison.results` tells of, and nothing besides.
"""
