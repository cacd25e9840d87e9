"""Where the speech is not: the campaign, the bank of generators, the pool, pre-training."""
