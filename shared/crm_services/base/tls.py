"""The TLS of every connection: one context for the process, and why a handshake failed."""

import ssl
from functools import cache
from pathlib import Path
from typing import Literal, get_args

# The deployer's own authorities for the database.
CERTIFICATES = Path(__file__).parents[1] / "certificates"

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
SSL_MODES: tuple[SslMode, ...] = get_args(SslMode)
SYSTEM = "system"

# OpenSSL's words for why there is no TLS, and its numbers for what is wrong with a certificate, in ours for the log:
# https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
OLD_PROTOCOL, NO_TLS = "the server speaks an old protocol only", "the server speaks no TLS"
REASONS = {
    "unsupported protocol": OLD_PROTOCOL,
    "tlsv1 alert protocol version": OLD_PROTOCOL,
    "wrong ssl version": OLD_PROTOCOL,
    "wrong version number": NO_TLS,
    "record layer failure": NO_TLS,
}
FLAWS = {
    9: "is not valid yet",
    10: "has expired",
    **dict.fromkeys((2, 7, 18, 19, 20, 21), "is of an unknown authority"),
    **dict.fromkeys((62, 64), "is another host's"),
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
    authorities = None if sslrootcert else "".join(path.read_text() for path in sorted(CERTIFICATES.glob("*.pem")))
    context = ssl.create_default_context(
        cafile=None if sslrootcert in {None, SYSTEM} else sslrootcert, cadata=authorities or None
    )
    # Python 3.13 insists on extensions that authorities made by hand seldom have; PostgreSQL's own tools do not.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.check_hostname = sslmode == "verify-full"
    if sslmode in {"allow", "prefer"} or (sslmode == "require" and not (sslrootcert or authorities)):
        context.verify_mode = ssl.CERT_NONE
    return context


def reason_of(error: ssl.SSLError) -> str:
    """Why there is no TLS, in words for the log."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate {FLAWS.get(error.verify_code, f'is refused (X509 error {error.verify_code})')}"
    reason = (error.reason or type(error).__name__).replace("_", " ").lower()
    return REASONS.get(reason, reason)
