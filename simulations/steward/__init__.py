"""What a site's steward reads: pages and words about what waits, what left, and what is left to give.

Owns their words and their layout. Everything is read from the site's own files; nothing here changes one.
"""
