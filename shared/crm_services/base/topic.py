"""A message to an SNS topic by one signed request."""

import re
from http.client import HTTPException
from urllib.parse import urlencode

from crm_services.base.aws import Credentials, post
from crm_services.base.errors import Unavailable

# SNS takes no more than that of a message, in UTF-8.
MESSAGE_BYTES = 262_144
HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


def publish(arn: str, subject: str, message: str, credentials: Credentials, endpoint: str | None = None) -> None:
    """Publish once; raises Unavailable with the reason where SNS does not say that it has the message.

    Not tried again: what got no answer may have arrived.
    """
    asked = {"Action": "Publish", "Version": "2010-03-31", "TopicArn": arn, "Subject": subject, "Message": message}
    try:
        status, answer = post(arn, urlencode(asked).encode(), HEADERS, credentials, endpoint)
    except (OSError, HTTPException, ValueError) as error:  # ValueError: an ARN that is none, a host that none can have
        raise Unavailable(reason=type(error).__name__) from None
    if status != 200:
        code = re.search(rb"<Code>(\w+)</Code>", answer)
        raise Unavailable(reason=code[1].decode() if code else str(status))
