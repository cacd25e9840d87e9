"""What a reader is told of a trial."""

from pathlib import Path

import pytest

from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.protocols import Trial
from simulations.trials import leak_of


def side(*speakers: str) -> Manifest:
    utterances = tuple(Utterance(f"{number}.wav", name, "one", 1.0, "sad") for number, name in enumerate(speakers))
    return Manifest("mine", Path("/corpora/mine"), ("sad",), utterances)


def test_speakers_on_both_sides_are_told_where_they_are_allowed():
    assert leak_of(Trial("test", side("ann"), side("bob"))) == ""
    allowed = Trial("test", side("ann", "bob"), side("bob"), shared=("bob",))
    assert leak_of(allowed) == "1 speaker stands in both train and test, so scores say too much"


def test_a_speaker_who_is_not_among_those_allowed_is_refused():
    with pytest.raises(UserError, match=r"both sides of a fold: fold test, speaker eve"):
        Trial("test", side("ann", "bob", "eve"), side("bob", "eve"), shared=("bob",))
