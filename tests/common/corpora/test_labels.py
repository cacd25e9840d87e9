"""Other people's labels are mapped to a run's, and a map that makes no sense is refused."""

import pytest

from common.corpora import labelled_corpus, read_corpus
from common.corpora.labels import complaints
from common.corpora.manifest import BadFile
from common.errors import UserErrors
from common.settings import CorpusConfig, RuntimeConfig

ROWS = "path,emotion,session\na.wav,Anger,1\nb.wav,happiness,2\nc.wav,sad,2\n"


@pytest.fixture
def root(plant):
    root = plant(["a.wav", "b.wav", "c.wav"])
    (root / "mine.csv").write_text(ROWS)
    return root


def test_labels_of_a_table_are_mapped_and_the_others_stay(root):
    manifest = read_corpus("table", root, anger="angry", happiness="happy")
    assert [one.emotion for one in manifest.utterances] == ["angry", "happy", "sad"]


def test_capitals_spaces_and_letters_of_any_language_make_no_difference(plant):
    root = plant(["a.wav", "b.wav", "c.wav", "d.wav"])
    (root / "mine.csv").write_text(
        "path,emotion,session\na.wav,\u00c4rger,1\nb.wav,sehr froh,1\nc.wav,4,2\nd.wav,sad,2\n"
    )
    corpus = CorpusConfig(name="table", options=("\u00e4rger=angry", "Sehr Froh = happy", "4=neutral"))
    manifest = labelled_corpus(corpus, RuntimeConfig(corpus_root=str(root)))
    assert [one.emotion for one in manifest.utterances] == ["angry", "happy", "neutral", "sad"]


def test_a_map_of_a_label_that_no_recording_has_is_told(root):
    manifest = read_corpus("table", root, anger="angry", happiness="happy", joy="happy")
    note = "no recording has the label joy, which would count as happy; there are anger, happiness, sad"
    assert note in manifest.notes


def test_a_configuration_maps_them_too(root):
    corpus = CorpusConfig(name="table", options=("anger=angry", "happiness=happy"))
    manifest = labelled_corpus(corpus, RuntimeConfig(corpus_root=str(root)))
    assert {one.emotion for one in manifest.utterances} == {"angry", "happy", "sad"}


def test_without_a_map_the_way_out_is_named_once_a_label(root):
    with pytest.raises(UserErrors, match="map labels by --option, such as --option anger=angry") as caught:
        read_corpus("table", root)
    assert len(caught.value.problems) == 2


def test_a_label_that_a_layout_knows_may_count_as_another(plant):
    root = plant(["wav/03a01Fa.wav", "wav/03a01La.wav"])
    manifest = read_corpus("emodb", root, bored="sad")
    assert [one.emotion for one in manifest.utterances] == ["happy", "sad"]
    with pytest.raises(UserErrors, match="no such option"):
        read_corpus("emodb", root, boredom="sad")


@pytest.mark.parametrize(
    ("maps", "problem"),
    [
        ({"anger": "angry", "angry": "anger"}, "anger=angry: angry is mapped itself"),
        ({"anger": "rage", "rage": "angry"}, "anger=rage: rage is mapped itself"),
        ({"anger": "anger"}, "anger=anger: anger is mapped itself"),
        ({"anger": "Angry!"}, "anger=angry!: 'angry!' is no label"),
    ],
    ids=["loop", "chain", "itself", "no label"],
)
def test_a_map_that_makes_no_sense_is_refused(maps, problem, root):
    with pytest.raises(UserErrors, match="labels that cannot be mapped") as caught:
        read_corpus("table", root, **maps)
    assert problem in caught.value.problems


def test_hundreds_of_files_with_one_reason_are_one_line():
    bad = [BadFile(f"{number}.wav", "unknown emotion 'rage'") for number in range(300)]
    assert complaints([*bad, BadFile("x.wav", "empty")]) == [
        "0.wav, 1.wav, 2.wav and 297 more: unknown emotion 'rage'",
        "x.wav: empty",
    ]
