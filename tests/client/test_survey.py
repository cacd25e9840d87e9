"""What a keeper would leave out is told before it serves, with the reason and the way out."""

import shutil

import pytest

from client.door import Door
from client.policy import Policy
from client.site import Site
from client.survey import survey
from common.errors import UserError
from common.wire import Code


@pytest.fixture
def own(speech, tmp_path):
    """A copy of the speech that a test may spoil."""
    return Site(session="03+08", root=shutil.copytree(speech, tmp_path / "speech"), state=tmp_path / "state")


def relabelled(site, **names):
    table = site.root / "recordings.csv"
    text = table.read_text()
    for label, name in names.items():
        text = text.replace(f",{label},", f",{name},")
    table.write_text(text)
    return site


def test_speech_with_the_sites_labels_is_used_whole(own):
    found = survey(own)
    assert found.held() == "24 recordings: neutral 6, angry 6, sad 6, happy 6; 2 speakers"
    assert (found.dropped, list(found.reasons()), found.maps(), found.refusal(Policy())) == (0, [], [], None)
    assert not own.state.exists()


def test_labels_that_nobody_knows_are_named_once_each_with_a_map_that_brings_them_in(own):
    found = survey(relabelled(own, angry="anger", happy="joyful"))
    assert found.held() == "24 recordings: neutral 6, angry 0, sad 6, happy 0; 2 speakers".replace("24", "12")
    assert found.dropped == 12
    (reasons,) = found.reasons()
    assert reasons.count("unknown emotion") == 2
    assert "and 3 more" in reasons
    assert len(reasons) < 700
    assert found.maps() == ["anger=angry", "joyful=..."]
    mapped = own.model_copy(update={"options": ("anger=angry", "joyful=happy")})
    assert survey(mapped).dropped == 0


def test_emotions_that_the_site_does_not_name_are_counted(own):
    found = survey(own.model_copy(update={"emotions": ("sad", "happy")}))
    assert (found.dropped, found.maps()) == (12, [])
    assert list(found.reasons()) == ["emotions that the site file does not name: neutral 6, angry 6"]


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ({"minimum_utterances": 6}, None),
        ({"minimum_utterances": 7}, Code.TOO_FEW_UTTERANCES),
        ({"minimum_speakers": 3}, Code.TOO_FEW_SPEAKERS),
    ],
)
def test_it_says_with_which_word_the_policy_would_refuse_everything(own, rules, word):
    assert survey(own).refusal(Policy(**rules)) is word


def test_a_site_whose_every_label_is_strange_has_nothing(own):
    with pytest.raises(UserError, match="no usable recording"):
        survey(relabelled(own, angry="anger", happy="joy", sad="sorrow", neutral="calmness"))


def test_the_keepers_log_says_so_in_one_line_and_not_one_a_recording(own, caplog):
    Door(relabelled(own, angry="anger")).holdings()
    (line,) = [record.getMessage() for record in caplog.records if "left out" in record.getMessage()]
    assert line.startswith("left out: 6 of 24 recordings: 6 unknown emotion 'anger'")
    assert "and 3 more" in line
