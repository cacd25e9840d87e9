"""One door to the speech: what cannot be used is left out everywhere at once, and features keep their labels."""

import shutil

import pytest
import soundfile
import torch

from client.door import Door, speakers_per_emotion
from client.site import Site
from common.errors import UserError
from common.features.scaling import Scaling
from common.spaces import PATCHES


def with_rows(folder, rows):
    (folder / "recordings.csv").write_text("\n".join(["path,emotion,session,speaker", *rows]))


@pytest.fixture
def own(speech, tmp_path):
    """A copy of the speech that a test may spoil."""
    return Site(session="03+08", root=shutil.copytree(speech, tmp_path / "speech"), state=tmp_path / "state")


def test_it_counts_utterances_and_speakers_in_label_order(site):
    holdings = Door(site).holdings()
    assert (holdings.session, holdings.labels) == ("03+08", site.emotions)
    assert (holdings.utterances, holdings.speakers) == ((6, 6, 6, 6), (2, 2, 2, 2))


def test_another_label_order_orders_the_counts(own):
    with_rows(own.root, ["00.wav,sad,one,a", "01.wav,sad,one,b", "02.wav,angry,one,a"])
    door = Door(own.model_copy(update={"emotions": ("happy", "sad", "angry")}))
    assert (door.manifest.counts, speakers_per_emotion(door.manifest)) == ((0, 2, 1), (0, 2, 1))


def test_parts_of_recordings_are_held_and_another_cut_is_other_speech(own):
    def door(end):
        rows = ["path,start,end,emotion,session,speaker", f"00.wav,0,{end},sad,one,a", f"00.wav,{end},,angry,one,a"]
        (own.root / "recordings.csv").write_text("\n".join(rows))
        return Door(own)

    first = door(0.3)
    assert first.holdings().utterances == (0, 1, 1, 0)
    assert len(first.features) == 2
    assert first.speech == door(0.3).speech != door(0.4).speech


def test_only_the_session_that_lives_here_is_held(own):
    with_rows(own.root, ["00.wav,sad,one,a", "01.wav,sad,two,b"])
    assert Door(own.model_copy(update={"holds": "two"})).manifest.speakers == ("b",)
    with pytest.raises(UserError, match="it has sessions one, two"):
        _ = Door(own.model_copy(update={"holds": "three"})).manifest


def test_a_recording_that_turns_out_to_be_spoilt_is_left_out_and_the_others_keep_their_labels(own, caplog):
    whole = Door(own)
    level = {u.path: float(whole.features[n].astype("float32").sum()) for n, u in enumerate(whole.manifest.utterances)}
    samples, rate = soundfile.read(own.root / "05.wav")
    samples[:] = float("nan")
    soundfile.write(own.root / "05.wav", samples, rate, subtype="FLOAT")  # its header is sound
    door = Door(own)
    assert door.manifest.counts == (6, 5, 6, 6)
    left = {u.path: float(door.features[n].astype("float32").sum()) for n, u in enumerate(door.manifest.utterances)}
    assert left == {path: total for path, total in level.items() if path != "05.wav"}
    assert "left out: 1 of 24 recordings: 1 holds samples that are not numbers" in caplog.text
    assert "(05.wav)" in caplog.text


def test_the_same_seed_draws_the_same_patches_and_another_seed_others(site):
    def drawn(seed):
        source = Door(site).features_in(PATCHES).examples(Scaling(-16.0, 5.5), seed, balanced=True)
        return source.batch(3, 4).values

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))


def test_what_it_derives_stays_in_the_sites_state_folder(own):
    before = sorted(path.name for path in own.root.iterdir())
    Door(own).holdings()
    assert sorted(path.name for path in own.root.iterdir()) == before
    assert list((own.state / "cache").rglob("*.f16"))
