"""Certificates of somebody else's authority are taken when they are good, and else named in one line and left alone."""

import http.client
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from common.errors import UserError
from server.proxy import open_proxy
from simulations.cli import main
from simulations.deployment.certificates import names_of, read_certificate
from simulations.deployment.checks import certificate as judged
from simulations.deployment.creation import create, sites_elsewhere
from simulations.deployment.given import check, take
from simulations.deployment.layout import Layout

HOST = "fed.example.org"
NOW = datetime.now(UTC)


class Hospital:
    """An authority with one below it, as large houses have them: RSA keys, its own names."""

    def __init__(self, folder):
        self.folder = folder
        self.key, self.root = self._signed("hospital root", None, ca=True)
        self.below_key, self.below = self._signed("hospital servers", (self.key, self.root), ca=True)
        self.authority = self._write("hospital.crt", self.root)

    def _signed(self, name, above, *, ca=False, names=(HOST,), ends=90, begins=-1, use=None, key=None):
        key = key or rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer, issuer = (key, subject) if above is None else (above[0], above[1].subject)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW + timedelta(days=begins))
            .not_valid_after(NOW + timedelta(days=ends))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        )
        if names and not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
        if use is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        return key, builder.sign(signer, hashes.SHA256())

    def _write(self, name, *certificates):
        path = self.folder / name
        path.write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
        return path

    def server(self, *, chain=True, passphrase=None, **facts):
        """Authority, certificate and key of a server, as three files."""
        key, leaf = self._signed("server", (self.below_key, self.below), **facts)
        form = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
        path = self.folder / "fed.key"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, form))
        return self.authority, self._write("fed.crt", leaf, *([self.below] if chain else [])), path


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    return Hospital(tmp_path_factory.mktemp("hospital"))


@pytest.fixture
def layout(config, tmp_path):
    layout = Layout(tmp_path / "d")
    create(layout, [HOST], 8443, sites_elsewhere(config, ["clinic"]), days=90, renew=False)
    return layout


def test_a_good_one_is_taken_and_both_authorities_are_trusted(layout, hospital):
    own = read_certificate(layout.server.authority)
    told = take(layout, HOST, *hospital.server())
    assert any("sites that have their folder already" in line for line in told)
    assert names_of(read_certificate(layout.proxy.certificate("proxy"))) == (HOST,)
    assert layout.proxy.key("proxy").stat().st_mode & 0o077 == 0
    for path in (layout.server.authority, layout.proxy.authority, layout.site("clinic").authority):
        assert x509.load_pem_x509_certificates(path.read_bytes()) == [own, hospital.root]
    found = judged(layout.proxy.certificate("proxy"), "proxy", authority=layout.server.authority, host=HOST)
    assert found.sign == "ok"
    before = layout.server.authority.read_bytes()
    take(layout, HOST, *hospital.server())
    assert layout.server.authority.read_bytes() == before


def test_a_site_reaches_the_proxy_by_it_and_one_that_trusts_the_old_authority_alone_does_not(layout, hospital):
    old = layout.site("clinic").authority.read_text()
    take(layout, HOST, *hospital.server())
    proxy = layout.proxy
    opened = open_proxy(
        ("127.0.0.1", 0), proxy.certificate("proxy"), proxy.key("proxy"), ("127.0.0.1", 9), proxy.authority
    )
    threading.Thread(target=opened.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        trust = ssl.create_default_context(cafile=layout.site("clinic").authority)
        assert asked(opened.server_address[1], trust) == 502
        with pytest.raises(ssl.SSLCertVerificationError):
            asked(opened.server_address[1], ssl.create_default_context(cadata=old))
    finally:
        opened.shutdown()
        opened.server_close()


def asked(port, trust):
    """The answer's status; the name in the certificate is not that of this machine."""
    connection = http.client.HTTPSConnection(HOST, port, timeout=10, context=trust)
    connection.sock = trust.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname=HOST)
    connection.request("GET", "/health")
    return connection.getresponse().status


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"ends": 0}, "expired on"),
        ({"begins": 1}, "not valid before"),
        ({"names": ("other.example.org",)}, f"good for other.example.org, not for {HOST}"),
        ({"names": ()}, "names no host"),
        ({"use": ExtendedKeyUsageOID.CLIENT_AUTH}, "may not be a server's"),
        ({"passphrase": b"secret"}, "has a passphrase"),
        ({"chain": False}, "does not vouch for this certificate (unable to get local issuer certificate)"),
        ({"ca": True}, "an authority's certificate, not a server's"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_changed(layout, hospital, facts, why):
    def state():
        return {path: path.read_bytes() for path in layout.folder.rglob("*") if path.is_file()}

    before = state()
    with pytest.raises(UserError) as error:
        take(layout, HOST, *hospital.server(**facts))
    assert why in str(error.value)
    assert "\n" not in str(error.value)
    assert state() == before


@pytest.mark.parametrize("facts", [{"names": ("*.example.org",)}, {"use": ExtendedKeyUsageOID.SERVER_AUTH}])
def test_wildcards_and_the_right_use_are_good(hospital, facts):
    check(*hospital.server(**facts), HOST, NOW)


def test_files_that_are_something_else_are_named(hospital, tmp_path):
    authority, certificate, key = hospital.server()
    stranger = tmp_path / "stranger.key"
    private = ec.generate_private_key(ec.SECP384R1())
    stranger.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (tmp_path / "text").write_text("nothing of the kind")
    for files, why in (
        ((authority, certificate, stranger), "the key is not this certificate's"),
        ((authority, certificate, tmp_path / "text"), "not a private key"),
        ((authority, tmp_path / "text", key), "not a certificate"),
        ((authority, certificate, tmp_path / "none"), "cannot read the key"),
        ((certificate, certificate, key), "no authority's certificate"),
    ):
        with pytest.raises(UserError, match=why):
            check(*files, HOST, NOW)


def test_a_renewal_leaves_another_authoritys_certificate_alone_and_says_so(config, layout, hospital):
    take(layout, HOST, *hospital.server())
    before = layout.proxy.certificate("proxy").read_bytes()
    told = create(layout, [HOST], 8443, [], days=90, renew=True)
    assert layout.proxy.certificate("proxy").read_bytes() == before
    assert any("another authority's, left as it is" in line for line in told)
    assert any(line.startswith("certificate of the superlink: good for") for line in told)


def test_the_command_says_what_it_changed_or_one_line_of_what_is_wrong(capsys, layout, hospital):
    def run(files):
        names = ("--authority", "--certificate", "--key")
        words = [word for pair in zip(names, map(str, files), strict=True) for word in pair]
        with pytest.raises(SystemExit) as left:
            main(["deploy", "certificates", str(layout.folder), *words])
        return left.value.code, *capsys.readouterr()

    status, told, _ = run(hospital.server())
    assert status == 0
    assert told.startswith("certificate of the proxy: ")
    status, _, why = run(hospital.server(ends=0))
    assert (status, why.count("\n")) == (2, 1)
