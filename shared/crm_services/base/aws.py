"""One signed request to a service of AWS: boto3, which knows all of them, would be most of a cold start."""

import hashlib
import hmac
import os
import time
from http.client import HTTPConnection, HTTPSConnection
from typing import NamedTuple
from urllib.parse import urlsplit

from crm_services.base.settings import required
from crm_services.base.tls import tls_context

# Two attempts end before the function's time does: the caller is told.
TIMEOUT_SECONDS = 5
ATTEMPTS = 2


class Credentials(NamedTuple):
    """What Lambda gives a function to sign with."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


def own_credentials() -> Credentials:
    """Those of this function; raises MissingSetting where there are none."""
    return Credentials(
        required("AWS_ACCESS_KEY_ID"), required("AWS_SECRET_ACCESS_KEY"), os.environ.get("AWS_SESSION_TOKEN")
    )


def signed(  # noqa: PLR0913, PLR0917 (each is a part of what is signed)
    service: str, host: str, region: str, body: bytes, headers: dict[str, str], credentials: Credentials, at: float
) -> dict[str, str]:
    """The headers, in lower case, of a POST of this body to /, signed as AWS Signature Version 4 has it."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    headers = headers | {"host": host, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + credentials.secret_access_key.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{credentials.access_key_id}/{scope}"
    return headers | {
        "authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={signature}"
    }


def post(
    arn: str, body: bytes, headers: dict[str, str], credentials: Credentials, endpoint: str | None = None
) -> tuple[int, bytes]:
    """Status and body of the answer of the ARN's service in its region; raises OSError or HTTPException."""
    _, partition, service, region, _ = arn.split(":", 4)
    host = f"{service}.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")
    connection: HTTPConnection
    if endpoint:
        host = urlsplit(endpoint).netloc
        connection = HTTPConnection(host, timeout=TIMEOUT_SECONDS)
    else:
        connection = HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=tls_context())
    try:
        connection.request("POST", "/", body, signed(service, host, region, body, headers, credentials, time.time()))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
