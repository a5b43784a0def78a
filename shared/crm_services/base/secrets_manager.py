"""Secrets Manager by one signed request."""

import json
from http.client import HTTPException
from typing import Any

from crm_services.base.aws import ATTEMPTS, Credentials, post
from crm_services.base.errors import Unavailable

HEADERS = {"content-type": "application/x-amz-json-1.1", "x-amz-target": "secretsmanager.GetSecretValue"}


def secret_string(arn: str, credentials: Credentials, endpoint: str | None = None) -> str | None:
    """The secret's current text, None where it has none; raises Unavailable with the reason where AWS gives none."""
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            status, body = post(arn, json.dumps({"SecretId": arn}).encode(), HEADERS, credentials, endpoint)
            answer: dict[str, Any] = json.loads(body)
        except (OSError, HTTPException, ValueError) as error:
            reason = type(error).__name__
            continue
        if status == 200:
            return answer.get("SecretString")
        reason = str(answer.get("__type", status)).rpartition("#")[2]
        if status < 500 and "Throttling" not in reason:
            break
    raise Unavailable(reason=reason)
