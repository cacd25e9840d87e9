"""A whole bank becomes a training set that others read, with sound that is a corpus."""

import json

import numpy as np
import pytest

from common.config import FeatureConfig
from common.corpora import read_corpus
from common.errors import UserError, UserErrors
from common.settings import hash_identity
from common.wire import Release
from server.bank import Bank
from simulations import cli
from simulations.training_set import draw_set, save_set

EMOTIONS = ("neutral", "angry", "sad", "happy")


@pytest.fixture
def fill(tmp_path, release):
    """Put the release of a session into the bank, with changed papers."""
    bank = Bank(tmp_path / "bank")

    def put(session, known=(True,) * 4, **changed):
        features = hash_identity(FeatureConfig().model_dump(mode="json"))
        told = {"features": features, "session": session, **changed}
        tuning = release.card.tuning.model_copy(update=told)
        bank.add(
            Release(card=release.card.model_copy(update={"tuning": tuning, "known": known}), released=release.released)
        )
        return bank

    return put


@pytest.fixture
def bank(fill):
    fill("01")
    return fill("02")


@pytest.fixture
def sample(capsys, tmp_path):
    def run(*words, out=tmp_path / "out"):
        with pytest.raises(SystemExit) as left:
            cli.main(["sample", *map(str, words), "--out", str(out)])
        return left.value.code or 0, *capsys.readouterr()

    return run


def test_each_emotion_has_as_many_as_were_asked_for_spread_over_the_generators(bank):
    drawn = draw_set(bank, 3)
    assert drawn.values.shape == (12, 128, 128)
    assert np.bincount(drawn.labels).tolist() == [3, 3, 3, 3]
    assert np.bincount(drawn.sources).tolist() == [8, 4]


def test_an_emotion_is_drawn_only_from_those_that_know_it(fill):
    fill("01", known=(True, False, False, True))
    drawn = draw_set(fill("02", known=(True, True, False, False)), 4)
    assert np.bincount(drawn.labels, minlength=4).tolist() == [4, 4, 0, 4]
    by_source = [np.bincount(drawn.labels[drawn.sources == index], minlength=4).tolist() for index in (0, 1)]
    assert by_source == [[2, 0, 0, 4], [2, 4, 0, 0]]


def test_the_same_seed_draws_the_same_and_another_another(bank):
    first = draw_set(bank, 2)
    assert np.array_equal(first.values, draw_set(bank, 2).values)
    assert not np.array_equal(first.values, draw_set(bank, 2, seed=1).values)
    one, other = (first.values[first.sources == index] for index in (0, 1))
    assert not np.array_equal(one, other)


def test_npz_is_read_without_a_pickle_and_says_what_its_numbers_mean(bank, tmp_path):
    drawn = draw_set(bank, 2)
    with np.load(save_set(drawn, tmp_path / "out"), allow_pickle=False) as stored:
        assert np.array_equal(stored["values"], drawn.values)
        assert [str(stored["label_names"][label]) for label in stored["labels"][:3]] == ["neutral", "angry", "sad"]
        about = json.loads(str(stored["about"]))
    assert about["labels"] == list(EMOTIONS)
    assert [one["name"] for one in about["generators"]] == [one.name for one in bank.banked()]


def test_parquet_is_a_row_a_sample(bank, tmp_path):
    from pyarrow import parquet

    drawn = draw_set(bank, 2)
    table = parquet.read_table(save_set(drawn, tmp_path / "out", "parquet"))
    about = json.loads(table.schema.metadata[b"eyesoff"])
    rows = table.to_pylist()
    assert len(rows) == 8
    assert [EMOTIONS[row["label"]] for row in rows] == [row["emotion"] for row in rows]
    assert {row["session"] for row in rows} == {"01", "02"}
    values = np.array([row["values"] for row in rows], np.float32).reshape(-1, *about["shape"])
    assert np.array_equal(values, drawn.values)


def test_its_sound_is_a_corpus_that_eyesoff_reads(sample, bank, tmp_path):
    status, said, _ = sample(bank.folder, "--number", 1, "--audio")
    assert status == 0
    manifest = read_corpus("table", tmp_path / "out" / "recordings.csv")
    assert len(manifest) == 4
    assert {one.emotion for one in manifest.utterances} == set(EMOTIONS)
    assert said.splitlines()[-1] == f"as sound, with a table: {tmp_path / 'out' / 'recordings.csv'}"


def test_a_zip_file_is_sampled_like_its_bank(sample, bank, tmp_path):
    cli.app(["bank", "export", str(bank.folder), str(tmp_path / "bank.zip")], standalone_mode=False)
    assert sample(tmp_path / "bank.zip", "--number", 2)[0] == 0
    assert sample(bank.folder, "--number", 2, out=tmp_path / "other")[0] == 0
    one, other = (np.load(tmp_path / name / "training-seed0.npz")["values"] for name in ("out", "other"))
    assert np.array_equal(one, other)


def test_an_export_takes_unusual_features_along(fill, sample, tmp_path):
    unusual = FeatureConfig(floor=1e-5)
    bank = fill("01", features=hash_identity(unusual.model_dump(mode="json")))
    (tmp_path / "config.toml").write_text("[features]\nfloor = 1e-5\n")
    cli.app(["bank", "export", str(bank.folder), str(tmp_path / "far" / "bank.zip")], standalone_mode=False)
    assert sample(tmp_path / "far" / "bank.zip", "--number", 1)[0] == 0
    about = json.loads(str(np.load(tmp_path / "out" / "training-seed0.npz")["about"]))
    assert about["features"]["floor"] == 1e-5


def test_nothing_is_written_over(sample, bank, tmp_path):
    assert sample(bank.folder, "--number", 1)[0] == 0
    status, _, told = sample(bank.folder, "--number", 2)
    assert (status, told.count("\n")) == (2, 1)
    assert told.startswith("error: it is there already: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--emotion", "sad"), "a training set has every emotion"),
        (("--paired",), "a training set has every emotion"),
        (("--format", "csv"), "no such form: --format csv; choose one of npz, parquet"),
    ],
    ids=["one emotion", "paired", "another form"],
)
def test_what_a_training_set_cannot_be_is_one_line(words, said, sample, bank, tmp_path):
    status, _, told = sample(bank.folder, *words)
    assert (status, told.count("\n"), said in told) == (2, 1, True)
    assert not (tmp_path / "out").exists()


def test_the_bank_is_kept_clean(sample, bank):
    status, _, told = sample(bank.folder, out=bank.folder)
    assert (status, "--out is the bank itself" in told) == (2, True)


def test_generators_whose_samples_mean_other_things_are_named(bank, fill):
    fill("03", labels=("angry", "neutral", "sad", "happy"))
    with pytest.raises(UserErrors, match="samples that do not mean the same") as caught:
        draw_set(bank, 1)
    assert len(caught.value.problems) == 1
    assert caught.value.problems[0].startswith("03-")


def test_an_empty_bank_is_named(tmp_path):
    with pytest.raises(UserError, match="the bank is empty"):
        draw_set(Bank(tmp_path / "nothing"), 1)
