"""`eyesoff deploy` as it is typed, as far as it needs no server."""

import json
from types import SimpleNamespace

import pytest

pytest.importorskip("cryptography", reason="it comes with Flower, an extra")

from common.errors import UserError
from server.outcome import SCHEMA, FoldFound, Found
from simulations import cli
from simulations.deployment import campaign, local
from simulations.deployment.certificates import names_of, read_certificate
from simulations.deployment.keys import new_pair
from simulations.deployment.layout import Layout
from simulations.deployment.registry import Node, Registry
from simulations.deployment.sessions import read_sessions

NOISED = [[15, -12, 1, 2], [4, 29, -2, 14], [-4, 4, 14, 1], [6, 3, -5, 20]]
"""Of which the first row adds up to less than one number in it."""


@pytest.fixture
def typed(capsys):
    """A function that types a command and returns its status and what it said."""

    def run(*words):
        with pytest.raises(SystemExit) as left:
            cli.main(["deploy", *map(str, words)])
        out, err = capsys.readouterr()
        return left.value.code, out, err

    return run


@pytest.fixture
def layout(typed, tmp_path):
    status, told, _ = typed("init", tmp_path / "d", "--host", "fed.example.org", "--port", 9443, "--site", "clinic")
    assert status == 0
    assert "good for fed.example.org, localhost, 127.0.0.1 until " in told
    return Layout(tmp_path / "d")


def test_init_again_makes_nothing_and_adds_no_sites_of_a_rehearsal(typed, layout):
    status, told, _ = typed("init", layout.folder)
    assert (status, told.splitlines()[0]) == (0, "nothing was missing")
    assert layout.sites == ("clinic",)


def test_renewed_certificates_keep_their_names_and_get_more_on_request(typed, layout):
    assert typed("init", layout.folder, "--renew")[0] == 0
    proxy = layout.proxy.certificate("proxy")
    assert names_of(read_certificate(proxy)) == ("fed.example.org", "localhost", "127.0.0.1")
    assert typed("init", layout.folder, "--renew", "--host", "other.example.org", "--site", "lab")[0] == 0
    assert "other.example.org" in names_of(read_certificate(proxy))
    settings = (layout.site("lab").relay / ".env").read_text()
    assert "EYESOFF_SERVER=fed.example.org\n" in settings
    assert "EYESOFF_PORT=9443\n" in settings


def test_check_leaves_with_1_where_something_fails_and_tells_it_as_json(typed, layout):
    status, told, _ = typed("check", layout.site_folder("clinic"), "--json")
    assert status == 1
    findings = {finding["subject"]: finding for finding in json.loads(told)["findings"]}
    assert findings["data"]["sign"] == "fail"
    assert findings["data"]["remedy"]


@pytest.mark.parametrize(
    "words", [("status",), ("check",), ("run",), ("local",), ("register",), ("revoke-client", "clinic")]
)
def test_a_folder_that_is_no_deployment_is_told_in_one_line(words, typed, tmp_path):
    command, *more = words
    status, _, told = typed(command, tmp_path, *more)
    assert (status, told) == (2, f"error: not a deployment: {tmp_path}; `eyesoff deploy init DIR` makes one\n")


def test_a_missing_setting_is_told_with_its_meaning(typed, layout):
    lines = layout.settings.read_text().splitlines()
    layout.settings.write_text("\n".join(line for line in lines if not line.startswith("EYESOFF_SUPERLINK")))
    status, _, told = typed("status", layout.folder)
    assert status == 2
    assert "EYESOFF_SUPERLINK is missing: the host:port of the SuperLink" in told


def test_a_superlink_that_is_not_there_is_told(typed, layout):
    status, _, told = typed("status", layout.folder)
    assert status == 2
    assert told.startswith("error: ")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [("--host", ""), ("--host", "ünïcode.example"), ("--host", "a b"), ("--days", "99999999")]
)
def test_what_no_certificate_can_say_is_refused_before_anything_is_made(words, typed, tmp_path):
    status, _, _ = typed("init", tmp_path / "d", "--site", "clinic", *words)
    assert (status, (tmp_path / "d").exists()) == (2, False)


def test_a_site_that_brings_its_key_has_a_session_of_its_own_name(typed, layout, monkeypatch, tmp_path):
    monkeypatch.setattr(Registry, "nodes", lambda self: ())
    monkeypatch.setattr(Registry, "register", lambda self, name, public: "7")
    new_pair(tmp_path / "key", tmp_path / "key.pub")
    status, _, _ = typed("add-client", layout.folder, "ward", "--key", tmp_path / "key.pub")
    assert status == 0
    assert read_sessions(layout.server.sessions)["ward"] == "ward"


def test_a_strangers_key_does_not_take_the_place_of_a_registered_sites(typed, layout, monkeypatch, tmp_path):
    public = layout.server.public_keys / "clinic.pub"
    before = public.read_bytes()
    monkeypatch.setattr(Registry, "nodes", lambda self: (Node("7", "clinic", "online"),))
    new_pair(tmp_path / "key", tmp_path / "key.pub")
    status, _, told = typed("add-client", layout.folder, "clinic", "--key", tmp_path / "key.pub")
    assert (status, "a site of this name is registered" in told) == (2, True)
    assert public.read_bytes() == before


def test_a_folder_that_is_named_from_here_is_found_by_processes_that_work_elsewhere(typed, layout, monkeypatch):
    def stand_in(there, settings, sites):
        raise UserError("started", where=there.folder)

    monkeypatch.chdir(layout.folder.parent)
    monkeypatch.setattr(local, "local_deployment", stand_in)
    assert typed("local", layout.folder.name)[2] == f"error: started: {layout.folder}\n"


def test_a_rehearsal_says_how_it_goes_on(typed, tmp_path):
    words = ["--corpus", "builtin", "--preset", "small"]
    _, told, _ = typed("init", tmp_path / "r", *words)
    assert told.splitlines()[-1].endswith(f"`eyesoff deploy run {tmp_path / 'r'} --preset small`")


@pytest.fixture
def concluded(typed, layout, monkeypatch, blank_figures, tmp_path):
    """A function that types `run` with a preset of vectors, whose campaign ends with these folds; what it said."""

    def run(names):
        told = SimpleNamespace(run=tmp_path / "run")

        def end(link, run, config, base, **more):
            told.base = base
            folds = [FoldFound(name, ["c"], [name], {name: [NOISED]}, {name: 0.26}) for name in names]
            labels = list(config.corpus.emotions)
            return Found(SCHEMA, "run", config.name, config.identity_hash(), labels, ["a", "b"], folds, [], [])

        monkeypatch.setattr(Registry, "nodes", lambda self: ())
        monkeypatch.setattr(campaign, "run_deployed", end)
        told.run.mkdir()
        told.status, told.out, told.err = typed("run", layout.folder, "--preset", "best", "--run", told.run)
        told.page = (told.run / "report.html").read_text()
        return told

    return run


def test_a_campaign_of_vectors_needs_no_networks_and_ends_with_a_report_of_noised_counts(concluded):
    told = concluded("ab")
    assert (told.status, told.err) == (0, "")
    assert told.base.is_dir()
    assert told.out.startswith("speech of 2 sites, preset best")
    assert "stand-in" not in told.page


def test_a_campaign_of_which_one_site_alone_was_scored_has_a_report_without_a_score(concluded):
    told = concluded("a")
    assert told.status == 0
    assert told.err == (
        "failed: score a (for federated): one speaker alone was scored, and of one no mean is given; its counts are in "
        "campaign.json\n"
    )
    assert "one speaker alone was scored" in told.page
