"""What `init` writes: each party's part apart, secrets closed, and nothing made twice."""

import stat

import pytest

from client.policy import Policy, load_policy
from client.site import load_site
from common.errors import UserError
from simulations.deployment.certificates import names_of, read_certificate
from simulations.deployment.creation import create, sessions_as_sites, sites_elsewhere
from simulations.deployment.keys import check_pair
from simulations.deployment.layout import Layout
from simulations.deployment.sessions import read_sessions
from simulations.deployment.settings import read_settings, read_site_settings


@pytest.fixture
def layout(config, tmp_path):
    layout = Layout(tmp_path / "d")
    create(layout, ["fed.example.org"], 9443, sites_elsewhere(config, ["clinic", "lab"]), days=90, renew=False)
    return layout


def content(layout):
    return {path: path.read_bytes() for path in layout.folder.rglob("*") if path.is_file()}


def test_a_site_can_be_read_and_its_policy_is_the_default_one_but_that_audits_decide(layout):
    site = load_site(layout.site("clinic").site)
    assert (site.session, site.corpus, str(site.root)) == ("clinic", "table", "/srv/speech/recordings.csv")
    assert load_policy(site.policy) == Policy(release="audited")
    check_pair(layout.site("clinic").key, layout.site("clinic").public_key)


def test_the_server_knows_whose_key_is_for_which_session(layout, config, tmp_path):
    assert read_sessions(layout.server.sessions) == {"clinic": "clinic", "lab": "lab"}
    rehearsal = Layout(tmp_path / "rehearsal")
    create(rehearsal, ["localhost"], 9443, sessions_as_sites(config), days=90, renew=False)
    told = read_sessions(rehearsal.server.sessions)
    assert told == {name: load_site(rehearsal.site(name).site).session for name in rehearsal.sites}


def test_the_rehearsal_of_who_has_all_the_speech_is_not_held_up_by_audits(config, tmp_path):
    rehearsal = Layout(tmp_path / "rehearsal")
    made = create(rehearsal, ["localhost"], 9443, sessions_as_sites(config), days=90, renew=False)
    assert {load_policy(rehearsal.site(name).policy).release for name in rehearsal.sites} == {"always"}
    assert sum("none is audited" in line for line in made) == len(rehearsal.sites)


def test_who_lets_a_site_s_releases_go_is_told_in_one_line(config, tmp_path):
    made = create(Layout(tmp_path / "d"), ["h"], 9443, sites_elsewhere(config, ["clinic"]), days=90, renew=False)
    (told,) = [line for line in made if line.startswith("release = ")]
    assert "leaves by itself where its audit says release. Anything else waits for you" in told


def test_both_sides_settings_can_be_read(layout):
    assert read_settings(layout.settings, {}).address == "fed.example.org:9443"
    assert read_site_settings(layout.site("lab").relay / ".env", {}).name == "lab"


def test_the_proxy_answers_to_the_public_name_and_the_superlink_does_not(layout):
    parts = {"proxy": layout.proxy, "superlink": layout.server}
    names = {name: names_of(read_certificate(files.certificate(name))) for name, files in parts.items()}
    assert "fed.example.org" in names["proxy"]
    assert "fed.example.org" not in names["superlink"]


def test_no_secret_is_open_and_no_part_holds_anothers(layout):
    secret = {path for path in content(layout) if b"PRIVATE KEY" in path.read_bytes() or path.suffix == ".secret"}
    assert len(secret) == 6
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in secret)
    in_keepers = [path for path in secret if "keeper" in path.parts]
    in_server = sorted(path.name for path in secret if "server" in path.parts)
    assert (in_keepers, in_server) == ([], ["superexec.secret", "superlink.key"])
    in_proxy = sorted(path.name for path in content(layout) if path.is_relative_to(layout.proxy.folder))
    assert in_proxy == ["ca.crt", "proxy.crt", "proxy.key"]


def test_made_again_nothing_changes_and_renewed_only_certificates_do(layout, config):
    before, sites = content(layout), sites_elsewhere(config, ["clinic", "lab"])
    assert create(layout, ["fed.example.org"], 9443, sites, days=90, renew=False) == []
    assert content(layout) == before
    create(layout, ["fed.example.org"], 9443, sites, days=90, renew=True)
    changed = {path.name for path, bytes_ in content(layout).items() if before[path] != bytes_}
    assert changed == {"proxy.crt", "proxy.key", "superlink.crt", "superlink.key"}


def test_a_rehearsal_has_a_site_for_each_session(config):
    newcomers = sessions_as_sites(config)
    assert [newcomer.name for newcomer in newcomers] == [f"site{number}" for number in range(1, 6)]
    assert 'holds = "Session2"' in newcomers[1].text


@pytest.mark.parametrize("name", ["", "../clinic", "Clinic", "a b"])
def test_a_name_that_is_none_is_refused(name, config):
    with pytest.raises(UserError, match="not a name for a site"):
        sites_elsewhere(config, [name])


def test_where_the_authoritys_key_is_not_kept_nothing_is_signed_and_no_site_made(layout, config):
    layout.authority_key.unlink()
    before = content(layout)
    newcomers = sites_elsewhere(config, ["stranger"])
    assert create(layout, ["fed.example.org"], 9443, newcomers, days=90, renew=False) == []
    assert content(layout) == before
    with pytest.raises(UserError, match="the authority's key is not here"):
        create(layout, ["fed.example.org"], 9443, newcomers, days=90, renew=True)
