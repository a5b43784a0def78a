"""The CRM's session cookie, signed by Flask itself: `python -m local.cookies USER_ID` prints one."""

import os
import sys

from flask import Flask
from flask.sessions import SecureCookieSessionInterface


def session_cookie(secret: str, user_id: int, email: str = "", role: str = "") -> str:
    """The value of the cookie `session` of a user who logs in now."""
    app = Flask(__name__)
    app.secret_key = secret
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    if signer is None:
        raise ValueError("A session cannot be signed without a secret.")
    return str(signer.dumps({"user_id": user_id, "email": email, "role": role}))


if __name__ == "__main__":
    print(session_cookie(os.environ["SESSION_SECRET"], int(sys.argv[1])))
