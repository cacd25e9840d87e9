"""One module a command group: parse, call plain functions, show. Whatever computes lives elsewhere."""
