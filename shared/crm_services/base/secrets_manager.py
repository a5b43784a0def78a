"""Secrets Manager by one signed request: boto3, which knows all of AWS, would be most of a cold start."""

import hashlib
import hmac
import json
import time
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from crm_services.base.errors import Unavailable
from crm_services.base.tls import tls_context

# Both attempts end before the function's time does: the caller is told.
TIMEOUT_SECONDS = 5
ATTEMPTS = 2
SERVICE = "secretsmanager"
TARGET = "secretsmanager.GetSecretValue"
CONTENT_TYPE = "application/x-amz-json-1.1"


class Credentials(NamedTuple):
    """What Lambda gives a function to sign with."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


def secret_string(arn: str, credentials: Credentials, endpoint: str | None = None) -> str | None:
    """The secret's current text, None where it has none; raises Unavailable with the reason where AWS gives none."""
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            status, answer = _ask(arn, credentials, endpoint)
        except (OSError, HTTPException, ValueError) as error:
            reason = type(error).__name__
            continue
        if status == 200:
            return answer.get("SecretString")
        reason = str(answer.get("__type", status)).rpartition("#")[2]
        if status < 500 and "Throttling" not in reason:
            break
    raise Unavailable(reason=reason)


def signed(host: str, region: str, body: bytes, credentials: Credentials, at: float) -> dict[str, str]:
    """The headers of a POST of this body to /, signed as AWS Signature Version 4 has it."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    scope = f"{moment[:8]}/{region}/{SERVICE}/aws4_request"
    headers = {"content-type": CONTENT_TYPE, "host": host, "x-amz-date": moment}
    if credentials.session_token:
        headers["x-amz-security-token"] = credentials.session_token
    headers["x-amz-target"] = TARGET
    names = ";".join(headers)
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
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


def _ask(arn: str, credentials: Credentials, endpoint: str | None) -> tuple[int, dict[str, Any]]:
    _, partition, _, region, _ = arn.split(":", 4)
    host = f"{SERVICE}.{region}.amazonaws.com" + (".cn" if partition == "aws-cn" else "")
    connection: HTTPConnection
    if endpoint:
        host = urlsplit(endpoint).netloc
        connection = HTTPConnection(host, timeout=TIMEOUT_SECONDS)
    else:
        connection = HTTPSConnection(host, timeout=TIMEOUT_SECONDS, context=tls_context())
    body = json.dumps({"SecretId": arn}).encode()
    try:
        connection.request("POST", "/", body, signed(host, region, body, credentials, time.time()))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()
