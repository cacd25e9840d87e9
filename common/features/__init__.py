"""Speech as networks see it: log-mels, their scaling, their cache, and the patches cut from them.

Owns everything between a waveform and a batch. Must not know a network.
"""
