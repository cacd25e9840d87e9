"""Privacy with a number: what noise costs, what a site has spent, and sums of which nobody sees the parts.

Owns mechanisms, the accountant, the budget and secure summation, as arithmetic. Must not know who is asked for what,
nor where a budget is written down.
"""
