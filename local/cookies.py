"""The CRM's session cookie, signed by Flask itself: `python -m local.cookies USER_ID` prints one."""

import os
import sys
import time

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import TimestampSigner


def session_cookie(
    secret: str, user_id: int, email: str = "", role: str = "", at: float | None = None, **more: object
) -> str:
    """The value of the cookie `session` of a user who logs in now, or then, with what else the session holds."""

    class Signer(TimestampSigner):
        def get_timestamp(self) -> int:
            return int(time.time() if at is None else at)

    app = Flask(__name__)
    app.secret_key = secret
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    if serializer is None:
        raise ValueError("A session cannot be signed without a secret.")
    serializer.signer = Signer
    return str(serializer.dumps({"user_id": user_id, "email": email, "role": role} | more))


if __name__ == "__main__":
    print(session_cookie(os.environ["SESSION_SECRET"], int(sys.argv[1])))
