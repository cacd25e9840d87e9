"""What one adds to eyesoff: a method a file, each named by an entry point in pyproject.toml."""
