"""A run as a page that follows it, for this machine alone."""
