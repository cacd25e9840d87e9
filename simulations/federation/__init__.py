"""A campaign on one machine or cluster: sites, server and the wire between them, all started from here.

Owns the start, the watching and the end. Must not know how a client tunes or what a campaign decides.
"""
