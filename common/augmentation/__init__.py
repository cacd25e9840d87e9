"""More training data out of recordings, and only where the recordings are.

Owns copying, noise, SMOTE, changes of sound, the plans that balance classes with them, and why none of it may leave.
Must not know synthesizers, recognizers, or who asks: all are functions of examples, a seed and what is wanted.
"""

STAYS = {
    "copying": "copying hands on the recordings themselves",
    "noise": "noise is added to recordings: whoever has a few copies averages it away and has the recording",
    "smote": "smote interpolates recordings: its samples lie on lines between two real utterances and carry them out",
    "sa": "sa changes the sound of recordings: its samples still are the speaker and the words",
    "sar": "sar changes the sound of recordings: its samples still are the speaker and the words",
    "sarm": "sarm changes the sound of recordings: its samples still are the speaker and the words",
    "sarb": "sarb adds background to recordings: its samples still are the speaker and the words",
    "sars": "sars changes the pace and pitch of recordings: its samples still are the speaker and the words",
    "undersampling": "undersampling leaves some recordings out: what is left are recordings",
}
"""Why what a method makes never leaves a site, in one sentence that a refusal prints."""
