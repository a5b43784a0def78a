"""A browser of the CRM: asks over the gateway, with a session that Flask signed."""

import json
import re
from typing import Any

from werkzeug.test import Client as WsgiClient
from werkzeug.test import TestResponse

from local.cookies import session_cookie
from local.gateway import Gateway
from local.routes import Route
from tests.support.conformity import assert_conforms, body_of


class Client:
    """`get` and `post` as the account of that id (None: not logged in)."""

    def __init__(self, gateway: Gateway, secret: str) -> None:
        self._wsgi = WsgiClient(gateway, use_cookies=False)
        self._secret = secret

    def get(self, path: str, user: int | None = None, **headers: str) -> TestResponse:
        return self.ask("GET", path, user, headers)

    def post(self, path: str, user: int | None = None, **headers: str) -> TestResponse:
        return self.ask("POST", path, user, headers)

    def ask(
        self, method: str, path: str, user: int | None = None, headers: dict[str, str] | None = None, **more: Any
    ) -> TestResponse:
        """One request, its answer held against the OpenAPI document; `accept_language="en"` is that header."""
        sent = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        if user is not None:
            sent["Cookie"] = f"session={session_cookie(self._secret, user)}"
        answer = self._wsgi.open(path, method=method, headers=sent, **more)
        assert_conforms(answer)
        return answer


def path_of(route: Route, number: int | str) -> str:
    """The route's path, with the number for whatever id it takes."""
    return re.sub(r"{\w+}", str(number), route.path)


def data(response: TestResponse) -> Any:
    """The `data` of a success; fails on anything else."""
    body = json.loads(body_of(response))
    assert response.status_code == 200, body
    assert body["success"] is True
    return body["data"]
