"""What is refused before anything is computed."""

import shutil

import numpy as np
import pytest
import soundfile

from common.config import load_config
from common.errors import UserError, UserErrors
from simulations.comparison.beside import Beside
from simulations.comparison.setting import choose_folds, prepare
from simulations.federation.campaign import order


def ignore(done, total):
    pass


@pytest.fixture
def with_rows(config, three_sessions, tmp_path):
    """A function from a filter of rows (path, emotion, session, speaker) to a configuration of that corpus."""

    def make(keep):
        heading, *rows = (three_sessions / "recordings.csv").read_text().splitlines()
        rows = [row for row in rows if keep(*row.split(","))]
        rows = [f"{three_sessions}/{row}" for row in rows]
        table = tmp_path / "recordings.csv"
        table.write_text("\n".join([heading, *rows]))
        for row in rows:
            (tmp_path / row.split(",")[0].rsplit("/", 1)[1]).touch()
        return config.model_copy(update={"runtime": config.runtime.model_copy(update={"corpus_root": str(table)})})

    return make


def test_one_session_only_is_refused(with_rows, weights):
    config = with_rows(lambda path, emotion, session, speaker: session == "Session1")
    with pytest.raises(UserError, match="only one session"):
        prepare(config, weights, ignore)


def test_an_emotion_that_no_session_holds_is_one_error(with_rows, weights):
    config = with_rows(lambda path, emotion, session, speaker: emotion != "sad")
    with pytest.raises(UserError, match="no session holds speech that is sad") as raised:
        prepare(config, weights, ignore)
    assert "\n" not in str(raised.value)
    assert '--set \'corpus.emotions=["neutral", "angry", "happy"]\'' in str(raised.value)


def test_an_emotion_that_one_session_lacks_is_no_error(with_rows, weights):
    config = with_rows(lambda path, emotion, session, speaker: (emotion, session) != ("sad", "Session2"))
    assert prepare(config, weights, ignore).part("Session2").held.count(False) == 1


def test_an_unknown_fold_is_named_with_those_there_are(config, weights):
    setting = prepare(config, weights, ignore)
    assert [fold.name for fold in choose_folds(setting, [])] == ["Session1", "Session2", "Session3"]
    assert [fold.name for fold in choose_folds(setting, ["Session2"])] == ["Session2"]
    with pytest.raises(UserError, match="no such fold: Session9; there are Session1, Session2, Session3"):
        choose_folds(setting, ["Session9"])


def test_shipped_networks_are_found_by_their_size(tmp_path):
    from common.settings import NetworkConfig
    from common.training.pretrained import fitting_weights

    assert fitting_weights(NetworkConfig(width=0.0625)).name == "demo"
    with pytest.raises(UserErrors, match="no networks of these sizes are shipped; name some with --base") as refused:
        fitting_weights(NetworkConfig(width=0.25))
    assert "small: network.width: 0.125 stored, 0.25 asked for" in refused.value.problems


@pytest.fixture
def with_silence(config, three_sessions, tmp_path):
    """A function from corpus.skip_bad to the corpus in which one recording is silent, as vectors are made of it."""
    folder = tmp_path / "speech"
    shutil.copytree(three_sessions, folder)
    first = (folder / "recordings.csv").read_text().splitlines()[1]
    soundfile.write(folder / first.split(",")[0], np.zeros(16_000), 16_000)
    best = load_config("best")

    def make(skip):
        plain = config.model_copy(update={"methods": best.methods, "vectors": best.vectors})
        return plain.model_copy(
            update={
                "corpus": plain.corpus.model_copy(update={"skip_bad": skip}),
                "runtime": plain.runtime.model_copy(update={"corpus_root": str(folder)}),
            }
        )

    return make


def test_a_recording_that_cannot_be_used_is_refused_or_left_out_and_named(with_silence, weights):
    with pytest.raises(UserError, match=r"1 of 24 files .* go on without them with --skip-bad"):
        prepare(with_silence(skip=False), weights, ignore)
    setting = prepare(with_silence(skip=True), weights, ignore)
    assert len(setting.manifest) == len(setting.features) == 23
    assert any("left out, for it cannot be used: 1 silent" in line for line in setting.warnings())


def test_a_campaign_beside_real_speech_leaves_it_out_too(with_silence, weights, tmp_path):
    simulation = order(with_silence(skip=True), tmp_path / "run", weights)
    beside = Beside.of(simulation)
    assert len(beside.setting.manifest) == 23
    assert sum(len(fold.test) for fold in beside.setting.folds.values()) == len(beside.setting.features)
