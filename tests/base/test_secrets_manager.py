"""The one request to Secrets Manager, against botocore's own signer, and against answers that it may give."""

import json
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import botocore.credentials
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from crm_services.base import aws as signing
from crm_services.base.aws import Credentials, signed
from crm_services.base.errors import Unavailable
from crm_services.base.secrets_manager import HEADERS, secret_string

ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:session-AbCdEf"
CREDENTIALS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "a/session+token==")


@pytest.mark.parametrize("credentials", [CREDENTIALS, CREDENTIALS._replace(session_token=None)])
def test_the_signature_is_the_one_that_botocore_makes(credentials: Credentials) -> None:
    host, body = "secretsmanager.eu-central-1.amazonaws.com", json.dumps({"SecretId": ARN}).encode()
    request = AWSRequest("POST", f"https://{host}/", data=body, headers=HEADERS)
    SigV4Auth(botocore.credentials.Credentials(*credentials), "secretsmanager", "eu-central-1").add_auth(request)
    signed_at = time.mktime(time.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ")) - time.timezone

    headers = signed("secretsmanager", host, "eu-central-1", body, HEADERS, credentials, signed_at)

    assert headers["authorization"] == request.headers["Authorization"]
    assert headers.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


Answers = Callable[..., tuple[str, list[str]]]


@pytest.fixture
def answers() -> Iterator[Answers]:
    """A server that gives these answers, one after the other; returns its address and the requests as they come."""
    servers: list[HTTPServer] = []

    def answer(*given: tuple[int, str]) -> tuple[str, list[str]]:
        left, asked = list(given), list[str]()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
                status, body = left.pop(0)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        servers.append(HTTPServer(("127.0.0.1", 0), Handler))
        Thread(target=servers[-1].serve_forever, kwargs={"poll_interval": 0.01}).start()
        return f"http://127.0.0.1:{servers[-1].server_port}", asked

    yield answer
    for server in servers:
        server.shutdown()
        server.server_close()


FOUND = (200, '{"SecretString": "hunter2"}')


@pytest.mark.parametrize(
    "failure",
    [
        (500, '{"__type": "InternalServiceError"}'),
        (503, "no JSON at all"),
        (400, '{"__type": "com.amazonaws.secretsmanager#ThrottlingException"}'),
    ],
)
def test_what_may_pass_is_asked_once_more(answers: Answers, failure: tuple[int, str]) -> None:
    endpoint, asked = answers(failure, FOUND)

    assert secret_string(ARN, CREDENTIALS, endpoint) == "hunter2"
    assert asked == [json.dumps({"SecretId": ARN})] * 2


def test_a_refusal_is_final_and_named(answers: Answers) -> None:
    endpoint, asked = answers((400, '{"__type": "AccessDeniedException", "Message": "User x may not"}'))

    with pytest.raises(Unavailable) as failure:
        secret_string(ARN, CREDENTIALS, endpoint)

    assert failure.value.fields == {"reason": "AccessDeniedException"}
    assert len(asked) == 1


def test_a_failure_that_stays_is_unavailable(answers: Answers) -> None:
    endpoint, asked = answers((500, "{}"), (502, "<html>"))

    with pytest.raises(Unavailable):
        secret_string(ARN, CREDENTIALS, endpoint)

    assert len(asked) == 2


def test_the_endpoint_is_the_arns_own_region_and_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    hosts = []

    class Unreachable:
        def __init__(self, host: str, **_: object) -> None:
            hosts.append(host)

        def request(self, *_: object) -> None:
            raise ConnectionRefusedError

        def close(self) -> None:
            pass

    monkeypatch.setattr(signing, "HTTPSConnection", Unreachable)
    for arn in (ARN, ARN.replace("aws:", "aws-cn:", 1).replace("eu-central-1", "cn-north-1")):
        with pytest.raises(Unavailable):
            secret_string(arn, CREDENTIALS)

    assert hosts[::2] == [
        "secretsmanager.eu-central-1.amazonaws.com",
        "secretsmanager.cn-north-1.amazonaws.com.cn",
    ]
