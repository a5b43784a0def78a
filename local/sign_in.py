"""A link that signs one of the demo's accounts in and goes on to the panel: `make run` alone has it, AWS never."""

from collections.abc import Iterable
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug import Request, Response
from werkzeug.utils import redirect

from crm_services.base.secrets import session_secrets
from crm_services.base.settings import settings
from local.cookies import session_cookie
from local.people import Account

PATH = "/local/sign-in/"
PANEL = "/crm/hosting"


def link(account: Account) -> str:
    """The path that signs the account in, as often as it is opened; nobody else can make one."""
    return PATH + str(_serializer().dumps(account.id))


class SignIn:
    """The gateway, and in front of it the way in."""

    def __init__(self, gateway: Any) -> None:
        self.gateway = gateway

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if not request.path.startswith(PATH):
            answer: Iterable[bytes] = self.gateway(environ, start_response)
            return answer
        return _sign_in(request.path.removeprefix(PATH))(environ, start_response)


def _sign_in(signed: str) -> Response:
    try:
        user_id = _serializer().loads(signed)
    except BadSignature:
        return Response("This link is not one of this server's.", 404)
    response = redirect(PANEL, 303)
    response.set_cookie(
        settings().session_cookie, session_cookie(session_secrets()[0], user_id), httponly=True, samesite="Lax"
    )
    return response


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(session_secrets()[0], salt="local-sign-in")
