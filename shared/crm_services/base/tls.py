"""The TLS of every connection: one context for the process, and why a handshake failed."""

import re
import ssl
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from crm_services.base.errors import Unavailable

# The deployer's own authorities for the database.
CERTIFICATES = Path(__file__).parents[1] / "certificates"

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
SSL_MODES: tuple[SslMode, ...] = get_args(SslMode)
SYSTEM = "system"
CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

# OpenSSL's words for why there is no TLS, and its numbers for what is wrong with a certificate, in ours for the log:
# https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
OLD_PROTOCOL, NO_TLS = "the server speaks an old protocol only", "the server speaks no TLS"
REASONS = {
    "unsupported protocol": OLD_PROTOCOL,
    "tlsv1 alert protocol version": OLD_PROTOCOL,
    "wrong ssl version": OLD_PROTOCOL,
    "wrong version number": NO_TLS,
    "record layer failure": NO_TLS,
    "sslv3 alert handshake failure": "the server takes nothing that we speak",
    "no certificate or crl found": "sslrootcert has no certificate",
}
FLAWS = {
    9: "is not valid yet",
    10: "has expired",
    **dict.fromkeys((2, 7, 18, 19, 20, 21), "is of an unknown authority"),
    **dict.fromkeys((62, 64), "is another host's"),
    **dict.fromkeys((66, 67, 68), "has too weak a key or signature, or its authority's has"),
}


@cache
def tls_context() -> ssl.SSLContext:
    """A context that verifies by the system's certificates; reading them takes as long as a handshake."""
    return ssl.create_default_context()


@cache
def database_tls_context(sslmode: SslMode = "verify-full", sslrootcert: str | None = None) -> ssl.SSLContext:
    """The context for the database, as libpq means the two.

    Who is believed: `sslrootcert` names a file (or `system`), else it is who certificates/ has (RDS has authorities of
    its own), and where that is empty, the system. A mode that need not verify does so where one of the first two is
    there, but for the name: so does libpq's `require`.
    """
    authorities = None if sslrootcert else "\n".join(map(_certificates, sorted(CERTIFICATES.glob("*.pem"))))
    context = ssl.create_default_context(
        cafile=None if sslrootcert in {None, SYSTEM} else sslrootcert, cadata=authorities or None
    )
    # Python 3.13 insists on extensions that authorities made by hand seldom have; PostgreSQL's own tools do not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = sslmode == "verify-full"
    if sslmode in {"allow", "prefer"} or (sslmode == "require" and not (sslrootcert or authorities)):
        context.verify_mode = ssl.CERT_NONE
    return context


def _certificates(path: Path) -> str:
    # Beside them a file may have a mark in front, and names in whatever letters, which OpenSSL would not take.
    found = CERTIFICATE.findall(path.read_text(encoding="utf-8", errors="replace"))
    if not found:
        raise Unavailable(reason=f"TLS: {path.name} of certificates/ has no certificate in PEM")
    return "\n".join(found)


def reason_of(error: ssl.SSLError) -> str:
    """Why there is no TLS, in words for the log."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate {FLAWS.get(error.verify_code, f'is refused (X509 error {error.verify_code})')}"
    reason = (error.reason or type(error).__name__).replace("_", " ").lower()
    return REASONS.get(reason, reason)
