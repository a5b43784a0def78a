"""The TLS of every connection: verified, and one context for the process."""

import ssl
from functools import cache
from pathlib import Path

# The deployer's own authorities for the database.
CERTIFICATES = Path(__file__).parents[1] / "certificates"


@cache
def tls_context() -> ssl.SSLContext:
    """A context that verifies by the system's certificates; reading them takes as long as a handshake."""
    return ssl.create_default_context()


@cache
def database_tls_context() -> ssl.SSLContext:
    """The same for the database; where certificates/ has authorities (RDS has its own), they alone count."""
    authorities = "".join(path.read_text() for path in sorted(CERTIFICATES.glob("*.pem")))
    return ssl.create_default_context(cadata=authorities) if authorities else tls_context()
