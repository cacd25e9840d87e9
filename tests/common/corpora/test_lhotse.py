"""Lhotse manifests: supervisions as utterances, and sources that are not read."""

import gzip
import json

import pytest

from common.corpora import read_corpus
from common.errors import UserError, UserErrors


def recording(name, source=None, **other):
    source = {"type": "file", "channels": [0], "source": f"{name}.wav"} | (source or {})
    return {"id": name, "sources": [source], "sampling_rate": 16000, "num_samples": 1600, "duration": 0.1} | other


def supervision(name, start=0.0, duration=0.1, **other):
    whole = {"id": f"{name}-{start}", "recording_id": name, "start": start, "duration": duration, "channel": 0}
    return whole | {"speaker": "ann", "gender": "F", "custom": {"emotion": "Sad"}} | other


def write(path, items):
    text = "".join(json.dumps(item) + "\n" for item in items)
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as stream:
        stream.write(text)


@pytest.fixture
def manifests(plant):
    """A function from recordings and supervisions to a folder of them and two files of sound."""

    def make(recordings, supervisions, ending="jsonl.gz"):
        root = plant(("one.wav", "two.wav"))
        write(root / f"recordings.{ending}", recordings)
        write(root / f"supervisions.{ending}", supervisions)
        return root

    return make


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz"])
def test_a_supervision_is_an_utterance(manifests, ending):
    spoken = [
        supervision("one"),
        supervision("two", speaker="bob", gender=None, custom={"emotion": "angry", "session": "York"}),
    ]
    root = manifests([recording("one"), recording("two")], spoken, ending)
    manifest = read_corpus("lhotse", root)
    assert [(u.path, u.emotion, u.speaker, u.session, u.sex) for u in manifest.utterances] == [
        ("one.wav", "sad", "ann", "ann", "female"),
        ("two.wav", "angry", "bob", "York", None),
    ]
    assert manifest.notes == (f"Lhotse manifests: recordings.{ending}, supervisions.{ending}",)


def test_one_that_is_shorter_than_its_recording_is_a_part(manifests):
    root = manifests([recording("one")], [supervision("one", 0, 0.04), supervision("one", 0.04, 0.06)])
    assert [u.path for u in read_corpus("lhotse", root).utterances] == ["one.wav#t=0,0.04", "one.wav#t=0.04,0.1"]


def test_the_names_of_files_tell_the_split(plant):
    root = plant(("one.wav", "two.wav"))
    for name, split in (("one", "train"), ("two", "test")):
        write(root / f"mine_recordings_{split}.jsonl", [recording(name)])
        write(root / f"mine_supervisions_{split}.jsonl", [supervision(name)])
    assert [u.split for u in read_corpus("lhotse", root).utterances] == ["train", "test"]


@pytest.mark.parametrize(
    ("recordings", "supervisions", "message"),
    [
        ([recording("one")], [supervision("two")], r"two-0\.0: no recording 'two' for supervisions\.jsonl\.gz line 1"),
        (
            [recording("one", {"type": "command"})],
            [supervision("one")],
            "one: its source is of the type 'command'; only files",
        ),
        ([recording("one", {"type": "url"})], [supervision("one")], "one: its source is of the type 'url'; only files"),
        ([recording("one", {"channels": [0, 1]})], [supervision("one")], "one: it has 2 channels"),
        ([recording("one", sources=[])], [supervision("one")], "one: it has not one source"),
        (
            [recording("one")],
            [supervision("one", duration=None)],
            r"one\.wav: no number of seconds as start and duration",
        ),
        (
            [recording("one")],
            [supervision("one", custom=None)],
            r"one\.wav: no emotion in supervisions\.jsonl\.gz line 1",
        ),
        ([recording("one")], [supervision("one", speaker=None)], r"one\.wav: no session"),
        ([recording("one")], [supervision("one", 0.05, 0.2)], r"one\.wav#t=0\.05,0\.25: .* beyond the end of the file"),
    ],
)
def test_what_cannot_be_read_is_a_line(manifests, recordings, supervisions, message):
    with pytest.raises(UserErrors, match=message) as caught:
        read_corpus("lhotse", manifests(recordings, supervisions))
    assert len(caught.value.problems) == 1


def packed(content):
    """With no time in it: every process must collect the same tests."""
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize("content", [b"no gzip", packed(b"{"), packed(b"[]\n"), packed(b"{}")[:-9]])
def test_a_manifest_that_is_none_is_one_line(manifests, content):
    root = manifests([recording("one")], [supervision("one")])
    (root / "supervisions.jsonl.gz").write_bytes(content)
    with pytest.raises(UserError, match=r"cannot read the manifest: .*supervisions\.jsonl\.gz") as caught:
        read_corpus("lhotse", root)
    assert "\n" not in str(caught.value)
