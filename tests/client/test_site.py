"""A site says what it holds in a file of its own, whose every mistake is named."""

from pathlib import Path

import pytest

from client.site import Site, load_site, open_to_strangers
from common.errors import UserError

SITE = 'session = "03+08"\nroot = "speech"\n'


def written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.toml").write_text(text)
    return folder / "site.toml"


def test_relative_paths_start_at_the_file_wherever_the_keeper_is_started(tmp_path):
    site = load_site(written(tmp_path, SITE + 'policy = "policy.toml"\nstate = "kept/here"\n'))
    assert (site.root, site.policy) == (tmp_path / "speech", tmp_path / "policy.toml")
    assert site.ledger == tmp_path / "kept" / "here" / "ledger.jsonl"


def test_absolute_paths_stay(tmp_path):
    assert load_site(written(tmp_path, 'session = "one"\nroot = "/srv/speech"\n')).root == Path("/srv/speech")


def test_without_a_policy_file_the_default_policy_holds(tmp_path):
    assert load_site(written(tmp_path, SITE)).policy is None


def test_every_mistake_is_told_at_once(tmp_path):
    mistakes = 'session = "../up"\nemotions = ["sad"]\npolciy = "p.toml"\n'
    with pytest.raises(UserError) as raised:
        load_site(written(tmp_path, mistakes))
    assert all(word in str(raised.value) for word in ("session", "root", "emotions", "polciy"))


def test_a_site_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UserError, match=r"site\.toml"):
        load_site(tmp_path / "site.toml")


def test_folders_that_strangers_can_look_into_are_named(tmp_path):
    site = Site(session="one", root=tmp_path / "speech", state=tmp_path / "state")
    for folder, mode in ((site.root, 0o755), (site.state, 0o750)):
        folder.mkdir()
        folder.chmod(mode)
    assert open_to_strangers(site) == (site.root,)
    site.root.chmod(0o700)
    assert open_to_strangers(site) == ()
