"""`eyesoff keeper peer`."""

import pytest

from simulations import cli


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        cli.main(["keeper", "peer", *map(str, arguments)])
    return left.value.code, *capsys.readouterr()


def test_two_stewards_exchange_a_key_and_each_site_names_the_other(capsys, site_file, tmp_path):
    other = tmp_path / "other" / "site.toml"
    other.parent.mkdir()
    other.write_text(f'session = "B"\nroot = "{tmp_path}"\n')
    key = tmp_path / "B.key"
    status, told, _ = run(capsys, "make", "B", key, "--site", site_file)
    assert status == 0
    assert "shares a key with B now" in told
    assert key.stat().st_mode & 0o777 == 0o600
    assert run(capsys, "accept", "A", key, "--site", other)[0] == 0
    assert (tmp_path / "other" / "state" / "peers" / "A").read_text() == key.read_text()
    told = run(capsys, "list", "--site", other)[1]
    assert told == "A\nyour policy takes part in no sum: rule `allow` lacks 'sum'\n"
    assert key.read_text().strip() not in told
    status, _, mistake = run(capsys, "make", "C", key, "--site", site_file)
    assert (status, "a file is there already" in mistake) == (2, True)
