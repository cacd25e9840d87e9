"""Where the speech lives: the keeper that guards it, and apart from it a thin relay to the server."""
