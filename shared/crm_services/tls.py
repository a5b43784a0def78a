"""The TLS of every connection: verified, and one context for the process."""

import ssl
from functools import cache


@cache
def tls_context() -> ssl.SSLContext:
    """A context that verifies by the system's certificates; reading them takes as long as a handshake."""
    return ssl.create_default_context()
