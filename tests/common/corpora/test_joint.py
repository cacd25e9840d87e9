"""Several corpora as one: nothing of one is taken for another's, and each is checked as if it stood alone."""

import pytest

from client.simulated import site_name
from common.corpora import read_corpus
from common.corpora.joint import corpus_of
from common.errors import UserError, UserErrors

EMODB, RAVDESS = "wav/03a01Fa.wav", "Actor_03/03-01-03-01-01-01-03.wav"
FOLDERS = {"emodb": "berlin", "ravdess": "toronto"}


@pytest.fixture
def root(plant):
    return plant([f"berlin/{EMODB}", f"toronto/{RAVDESS}"])


def test_speakers_and_sessions_carry_the_name_of_their_corpus(root):
    berlin, toronto = read_corpus("joint", root, **FOLDERS).utterances
    assert (berlin.path, toronto.path) == (f"berlin/{EMODB}", f"toronto/{RAVDESS}")
    assert berlin.speaker == "emodb__03"
    assert {corpus_of(one.session) for one in (berlin, toronto)} == {"emodb", "ravdess"}
    assert berlin.speaker.split("__")[1] == toronto.speaker.split("__")[1].zfill(2)
    assert berlin.emotion == toronto.emotion == "happy"


def test_a_site_keeps_the_name_of_its_corpus(root):
    sessions = read_corpus("joint", root, **FOLDERS).sessions
    assert [corpus_of(site_name(session)) for session in sessions] == ["emodb", "ravdess"]


def test_an_emotion_that_one_corpus_alone_knows_may_be_asked_for(root):
    assert read_corpus("joint", root, emotions=("happy", "bored"), **FOLDERS).labels == ("happy", "bored")
    with pytest.raises(UserError, match="has no emotion: jealous"):
        read_corpus("joint", root, emotions=("happy", "jealous"), **FOLDERS)


def test_a_corpus_in_the_wrong_folder_is_told(root):
    with pytest.raises(UserError, match=r"this is not EMO-DB: .*toronto; .*it looks like the corpus ravdess"):
        read_corpus("joint", root, emodb="toronto", ravdess="berlin")


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"emodb": "berlin"}, r"a joint corpus is made of two or more: emodb; name each with its folder"),
        ({"emodb": "berlin", "ravdess": "berlin"}, "corpora that cannot be told apart"),
        ({"emodb": "berlin", "joint": "toronto"}, "corpora that cannot be told apart"),
        ({"emodb": "berlin", "files": "toronto"}, "nobody could say what its paths mean: files; .* write a table"),
        ({"emodb": "berlin", "builtin": "toronto"}, "made on the spot: builtin; .* among the recordings of its folder"),
        ({"emodb": "berlin", "berlin": "toronto"}, "no such corpus: berlin; there are librispeech"),
    ],
)
def test_what_cannot_be_joined_is_told(root, folders, message):
    with pytest.raises(UserError, match=message):
        read_corpus("joint", root, **folders)
    assert [path.name for path in (root / "toronto").iterdir()] == ["Actor_03"]


@pytest.mark.parametrize("spelled", ["{root}/berlin", "toronto/../berlin"])
def test_what_two_corpora_hold_is_told_however_its_folder_is_spelled(root, spelled):
    (root / "berlin/metadata.csv").write_text(f"file_name,emotion,speaker\n{EMODB},happy,ann\n")
    with pytest.raises(UserErrors) as caught:
        read_corpus("joint", root, emodb="berlin", audiofolder=spelled.format(root=root))
    assert caught.value.problems == (f"berlin/{EMODB}: stands twice in the corpus",)


def test_a_folder_beside_the_root_keeps_its_name(root):
    both = read_corpus("joint", root / "berlin", emodb=str(root / "berlin"), ravdess="../toronto")
    assert {one.path for one in both.utterances} == {EMODB, f"../toronto/{RAVDESS}"}


def test_a_damaged_file_is_named_below_its_folder(root):
    (root / "berlin" / EMODB).write_bytes(b"")
    with pytest.raises(UserErrors) as caught:
        read_corpus("joint", root, **FOLDERS)
    assert caught.value.problems == (f"berlin/{EMODB}: empty file (0 bytes)",)
