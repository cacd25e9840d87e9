"""One module a synthesizer, each with the constant `SYNTHESIZER`."""
