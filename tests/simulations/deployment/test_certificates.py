"""Certificates that a TLS library takes, and that say what they are."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest

from common.errors import UserError
from simulations.deployment.certificates import (
    is_signed_by,
    issue,
    names_of,
    new_authority,
    read_authority,
    read_certificate,
)
from simulations.deployment.keys import strangers_may_read

NOW = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def authority(tmp_path):
    return new_authority(tmp_path / "ca.key", tmp_path / "ca.crt")


def shake_hands(folder, name):
    """A handshake in memory between a client that trusts the authority and a server with its certificate."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "s.crt", folder / "s.key")
    client = ssl.create_default_context(cafile=folder / "ca.crt")
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=name)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue


@pytest.mark.parametrize("name", ["fed.example.org", "127.0.0.1"])
def test_whoever_answers_at_a_name_of_the_certificate_is_believed(name, authority, tmp_path):
    issue(authority, ["fed.example.org", "127.0.0.1"], tmp_path / "s.key", tmp_path / "s.crt")
    shake_hands(tmp_path, name)
    assert names_of(read_certificate(tmp_path / "s.crt")) == ("fed.example.org", "127.0.0.1")


def test_whoever_answers_at_another_name_is_not(authority, tmp_path):
    issue(authority, ["fed.example.org"], tmp_path / "s.key", tmp_path / "s.crt")
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, "elsewhere.example.org")


@pytest.mark.parametrize("then", [datetime.now(UTC) - timedelta(days=9), datetime.now(UTC) + timedelta(days=9)])
def test_expired_and_not_yet_valid_certificates_are_not_believed(then, authority, tmp_path):
    issue(authority, ["fed.example.org"], tmp_path / "s.key", tmp_path / "s.crt", days=2, now=then)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, "fed.example.org")


def test_a_certificate_of_another_authority_is_told_apart(authority, tmp_path):
    other = new_authority(tmp_path / "other.key", tmp_path / "other.crt")
    issue(other, ["fed.example.org"], tmp_path / "s.key", tmp_path / "s.crt", now=NOW)
    read = read_certificate(tmp_path / "s.crt")
    assert is_signed_by(read, other.certificate)
    assert not is_signed_by(read, authority.certificate)


def test_private_keys_are_their_owners_alone(authority, tmp_path):
    issue(authority, ["fed.example.org"], tmp_path / "s.key", tmp_path / "s.crt")
    assert not strangers_may_read(tmp_path / "ca.key")
    assert not strangers_may_read(tmp_path / "s.key")


def test_an_authority_is_read_again_and_what_is_none_is_named(authority, tmp_path):
    assert read_authority(tmp_path / "ca.key", tmp_path / "ca.crt").certificate == authority.certificate
    (tmp_path / "broken").write_text("no key")
    with pytest.raises(UserError, match=r"broken; .*where the authority's key is kept"):
        read_authority(tmp_path / "broken", tmp_path / "ca.crt")
    with pytest.raises(UserError, match="not a certificate"):
        read_certificate(tmp_path / "broken")
