"""The top of the house: the command line, local launches, comparison, report."""
