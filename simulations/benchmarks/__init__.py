"""Measurements of this system against plain versions of itself, each pair in one process.

Must not be needed by anything that trains.
"""
