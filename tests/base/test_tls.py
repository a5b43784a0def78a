"""Whom the bundle believes to be the database."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from crm_services.base import tls
from crm_services.base.errors import Unavailable


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder for authorities, empty."""
    folder = tmp_path / "certificates"
    folder.mkdir()
    monkeypatch.setattr(tls, "CERTIFICATES", folder)
    tls.database_tls_context.cache_clear()
    yield folder
    tls.database_tls_context.cache_clear()


def test_a_database_whose_authority_the_deployer_named_is_believed(certificates: Path, tmp_path: Path) -> None:
    certificate = _self_signed(tmp_path)
    before = "\ufeffSubject: CN = München\r\n".encode()  # as an editor, or `openssl x509 -text`, leaves it
    (certificates / "eu-central-1-bundle.pem").write_bytes(before + _public(certificate))

    with _serving(certificate) as port:
        assert _greets(port, "localhost")


def test_one_of_another_name_or_of_an_unknown_authority_is_not(certificates: Path, tmp_path: Path) -> None:
    certificate = _self_signed(tmp_path)
    with _serving(certificate) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="self-signed"):
            _greets(port, "localhost")

        tls.database_tls_context.cache_clear()
        (certificates / "mine.pem").write_bytes(_public(certificate))
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            _greets(port, "elsewhere.example.com")


@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\nMIIB", b"0\x82\x01\xff", b"<html>"])
def test_a_file_without_a_certificate_is_named(certificates: Path, content: bytes) -> None:
    (certificates / "rds.pem").write_bytes(content)

    with pytest.raises(Unavailable) as failure:
        tls.database_tls_context()
    assert failure.value.fields == {"reason": "TLS: rds.pem of certificates/ has no certificate in PEM"}


def _greets(port: int, name: str) -> bool:
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        tls.database_tls_context().wrap_socket(plain, server_hostname=name) as secured,
    ):
        return secured.recv(5) == b"hello"


@contextmanager
def _serving(certificate: Path) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet_all, args=(listener, context))
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _greet_all(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:  # the test is over
            return
        with plain:
            try:
                with context.wrap_socket(plain, server_side=True) as secured:
                    secured.sendall(b"hello")
            except OSError:  # the client does not believe us
                continue


def _self_signed(folder: Path) -> Path:
    """A certificate for localhost that is its own authority, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "localhost.pem"
    unlocked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(certificate.public_bytes(Encoding.PEM) + unlocked)
    return path


def _public(certificate: Path) -> bytes:
    return certificate.read_bytes().partition(b"-----BEGIN PRIVATE")[0]
