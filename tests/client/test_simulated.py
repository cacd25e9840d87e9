"""A simulated site has the very files that a real one keeps, and holds its own session alone."""

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.bases import shipped_bases
from client.bounds import recipe_numbers
from client.dice import Dice, read_dice
from client.door import Door
from client.peers import Peers
from client.policy import load_policy
from client.recipes import recipe_of
from client.simulated import SITES, own_sites, simulated_secret, simulated_site, site_name, write_sites
from common.config import Config, load_config
from common.corpora import labelled_corpus, read_corpus
from common.corpora.manifest import Manifest, Utterance
from common.errors import UserError
from common.privacy.accountant import LARGEST_EPSILON
from common.release import ReleaseConfig

BASE = "0" * 64


@pytest.fixture
def config(tmp_path):
    """A table of recordings, features cached where the test ends."""
    settings = {"corpus": {"name": "table"}, "runtime": {"cache": str(tmp_path / "cache"), "device": "cpu"}}
    return Config.model_validate(settings)


def manifest_of(*sessions):
    utterances = [Utterance(f"{number}.wav", session, session, 1.0, "sad") for number, session in enumerate(sessions)]
    return Manifest("table", Path("speech"), ("sad", "happy"), tuple(utterances))


@given(session=st.text(min_size=1, max_size=90))
def test_a_site_has_a_name_that_may_travel_and_be_a_folder(session):
    assert re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9_.+-]{0,63})?", site_name(session))


def test_each_client_holds_one_session(tmp_path, config, make_speech):
    manifest = read_corpus("table", make_speech(tmp_path), emotions=config.corpus.emotions)
    write_sites(tmp_path, config, manifest, BASE)
    for number, session in enumerate(manifest.sessions):
        door = Door(simulated_site(tmp_path / SITES, number))
        assert {utterance.session for utterance in door.manifest.utterances} == {session}
        assert door.holdings().session == session
        assert door.holdings().labels == config.corpus.emotions
    with pytest.raises(UserError, match="no site file for client 5"):
        simulated_site(tmp_path / SITES, 5)


def test_a_site_reads_the_table_that_was_named_though_another_lies_beside_it(tmp_path, config, make_speech):
    speech = make_speech(tmp_path)
    (speech / "other.csv").write_text("path,emotion,session\n")
    manifest = read_corpus("table", speech / "recordings.csv", emotions=config.corpus.emotions)
    write_sites(tmp_path, config, manifest, BASE)
    assert len(Door(simulated_site(tmp_path / SITES, 0)).manifest) == 8


def test_a_site_maps_labels_as_its_configuration_does(tmp_path, config, make_speech):
    speech = make_speech(tmp_path)
    table = speech / "recordings.csv"
    table.write_text(table.read_text().replace(",angry,", ",anger,"))
    corpus = config.corpus.model_copy(update={"options": ("anger=angry",)})
    config = config.model_copy(update={"corpus": corpus})
    write_sites(tmp_path, config, read_corpus("table", speech, anger="angry"), BASE)
    labels = {one.emotion for one in Door(simulated_site(tmp_path / SITES, 0)).manifest.utterances}
    assert labels == set(config.corpus.emotions)


def test_a_skewed_site_holds_what_the_skewed_corpus_has_of_its_session(tmp_path, config, make_speech):
    speech = make_speech(tmp_path)
    corpus = config.corpus.model_copy(update={"skew": 0.3, "skew_seed": 5})
    runtime = config.runtime.model_copy(update={"corpus_root": str(speech)})
    config = config.model_copy(update={"corpus": corpus, "runtime": runtime})
    manifest = labelled_corpus(config.corpus, config.runtime)
    write_sites(tmp_path, config, manifest, BASE)
    for number, session in enumerate(manifest.sessions):
        held = Door(simulated_site(tmp_path / SITES, number)).manifest.utterances
        assert held == manifest.where(lambda utterance, name=session: utterance.session == name).utterances
    assert len(manifest) < len(read_corpus("table", speech, emotions=config.corpus.emotions))


def test_a_site_computes_as_the_configuration_says(tmp_path, config):
    features = config.features.model_copy(update={"floor": 1e-5})
    write_sites(tmp_path, config.model_copy(update={"features": features}), manifest_of("a"), BASE)
    site = simulated_site(tmp_path / SITES, 0)
    assert site.features == features
    assert (site.runtime.threads, site.runtime.device) == (config.campaign.client_threads, "cpu")
    assert site.state == tmp_path / SITES / "a" / "state"


@pytest.mark.parametrize("settings", [{}, {"network": {"width": 1 / 64}, "finetuning": {"iterations": 1, "batch": 2}}])
def test_its_policy_accepts_its_own_campaign_whatever_that_asks_and_no_other(tmp_path, config, settings):
    config = config.model_validate(config.model_dump() | settings)
    write_sites(tmp_path, config, manifest_of("a"), BASE)
    policy = load_policy(simulated_site(tmp_path / SITES, 0).policy)
    assert (policy.bases, policy.recipes) == ((BASE,), (recipe_of(config).digest,))
    assert not policy.bounds.outside(recipe_numbers(recipe_of(config)))
    assert policy.per_speaker
    assert policy.tell_counts
    assert policy.scoring_epsilon == "exact"
    assert (policy.epsilon_in_all, policy.release) == (LARGEST_EPSILON, "always")


def test_the_same_seed_gives_a_session_the_same_dice_and_another_seed_or_session_others(tmp_path, config):
    def seeds(run, config):
        write_sites(tmp_path / run, config, manifest_of("a", "b"), BASE)
        return [read_dice(simulated_site(tmp_path / run / SITES, n).secret).tuning("run-1", "a") for n in (0, 1)]

    first, second = seeds("one", config)
    assert seeds("two", config) == [first, second]
    assert len({first, second, *seeds("three", config.model_copy(update={"seed": 1}))}) == 4
    assert first == Dice(simulated_secret(config.seed, "a")).tuning("run-1", "a")


@pytest.mark.parametrize("sessions", [("a b", "a-b"), ("--", "a"), ("x" * 64 + "1", "x" * 64 + "2")])
def test_sessions_that_would_share_a_site_are_refused(tmp_path, config, sessions):
    with pytest.raises(UserError, match="names are alike"):
        write_sites(tmp_path, config, manifest_of(*sessions), BASE)
    assert not (tmp_path / SITES).exists()


def test_writing_them_again_changes_nothing(tmp_path, config):
    manifest = dataclasses.replace(manifest_of("a", "b"), root=tmp_path)
    write_sites(tmp_path, config, manifest, BASE)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    write_sites(tmp_path, config, manifest, BASE)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert len(before) == 6


def test_a_bare_flower_run_has_the_sites_of_its_presets_corpus_however_often_they_are_written(tmp_path, monkeypatch):
    settings = load_config("demo", [f"runtime.cache={tmp_path}"])
    monkeypatch.setattr("client.simulated.labelled_corpus", lambda corpus, runtime: manifest_of("a", "b"))
    sites = own_sites(settings, 17)
    assert own_sites(settings, 17) == sites == settings.runtime.unnamed_run(17) / SITES
    assert [simulated_site(sites, number).session for number in (0, 1)] == ["a", "b"]
    assert own_sites(settings, 18) != sites
    (base,) = load_policy(simulated_site(sites, 0).policy).bases
    assert shipped_bases()[base].name == "demo"


def test_sites_share_keys_and_take_part_in_sums_only_where_the_campaign_sums(tmp_path, config):
    summed = config.model_copy(update={"release": ReleaseConfig(summed=True)})
    for folder, own in (("alone", config), ("summed", summed)):
        write_sites(tmp_path / folder, own, manifest_of("a", "b", "c"), BASE)
    alone, together = (
        [simulated_site(tmp_path / folder / SITES, number) for number in range(3)] for folder in ("alone", "summed")
    )
    assert all("sum" not in load_policy(site.policy).allow and not Peers(site.state).names() for site in alone)
    assert all({"sum", "scored"} <= {*load_policy(site.policy).allow} for site in together)
    assert [Peers(site.state).names() for site in together] == [("b", "c"), ("a", "c"), ("a", "b")]
    keys = {Peers(together[0].state).key("b"), Peers(together[0].state).key("c"), Peers(together[1].state).key("c")}
    assert Peers(together[1].state).key("a") == Peers(together[0].state).key("b")
    assert len(keys) == 3
    write_sites(tmp_path / "summed", summed, manifest_of("a", "b", "c"), BASE)
    assert Peers(together[1].state).key("c") in keys
