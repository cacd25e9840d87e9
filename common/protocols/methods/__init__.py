"""One module a protocol; each has the constant PROTOCOL."""
