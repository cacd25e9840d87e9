"""One module a recognizer, each with the constant `RECOGNIZER`."""
