"""An .env file that is read whole or complained about whole."""

import pytest

from common.errors import UserErrors
from simulations.deployment.settings import read_settings, read_site_settings, write_settings

WHOLE = {"EYESOFF_SERVER": "fed.example.org", "EYESOFF_PORT": "8443", "EYESOFF_SUPERLINK": "127.0.0.1:8000"}


def test_what_is_written_is_read(tmp_path):
    write_settings(tmp_path / ".env", WHOLE)
    read = read_settings(tmp_path / ".env", {})
    assert (read.address, read.superlink) == ("fed.example.org:8443", "127.0.0.1:8000")


def test_the_environment_goes_before_the_file(tmp_path):
    write_settings(tmp_path / ".env", WHOLE)
    assert read_settings(tmp_path / ".env", {"EYESOFF_SUPERLINK": "superlink:8000"}).superlink == "superlink:8000"


def test_missing_empty_and_garbled_settings_are_all_named_at_once(tmp_path):
    (tmp_path / ".env").write_text("EYESOFF_PORT=http\nEYESOFF_SERVER=\nno setting\n")
    with pytest.raises(UserErrors) as found:
        read_settings(tmp_path / ".env", {})
    text = "\n".join(found.value.problems)
    assert "EYESOFF_SERVER is missing" in text
    assert "EYESOFF_SUPERLINK is missing" in text
    assert "EYESOFF_PORT is not a port: 'http'" in text
    assert "line 3 is not NAME=VALUE" in text


@pytest.mark.parametrize("missing", ["EYESOFF_SERVER", "EYESOFF_PORT", "EYESOFF_SITE"])
def test_a_site_is_told_which_of_its_settings_is_missing(missing, tmp_path):
    values = {"EYESOFF_SERVER": "fed.example.org", "EYESOFF_PORT": "8443", "EYESOFF_SITE": "clinic"}
    write_settings(tmp_path / ".env", {name: value for name, value in values.items() if name != missing})
    with pytest.raises(UserErrors, match=f"{missing} is missing"):
        read_site_settings(tmp_path / ".env", {})
