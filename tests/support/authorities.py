"""Authorities, and what a server needs to be a host: made for a test."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

MONTH = 30


@dataclass(frozen=True)
class Credentials:
    """A server's certificate, with those between it and the authority, and its key; PEM."""

    chain: bytes
    key: bytes


class Authority:
    """Whoever signs certificates; by another one's leave, where there is one."""

    def __init__(self, above: "Authority | None" = None) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("an authority below" if above else "an authority")
        self._above = above
        signer = above or self
        self.certificate = signer._signed(self._name, self._key, MONTH, x509.BasicConstraints(True, None))

    @property
    def pem(self) -> bytes:
        """Its certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    def server(self, host: str, days: int = MONTH, first_day: int = -MONTH + 1) -> Credentials:
        """What a server needs to be this host for so many days, the first of them so many from today."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_alternative(host)])
        chain = self._signed(_named(host), key, days, names, first_day).public_bytes(Encoding.PEM)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return Credentials(chain + (self.pem if self._above else b""), private)

    def _signed(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        days: int,
        extension: x509.ExtensionType,
        first_day: int = -MONTH + 1,
    ) -> x509.Certificate:
        # No more extensions than `openssl req -x509` gives: Python's own strictness would have others.
        start = datetime.now(UTC) + timedelta(days=first_day)
        builder = x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=days))
        return builder.add_extension(extension, critical=True).sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
