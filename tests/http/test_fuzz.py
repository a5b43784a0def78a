"""schemathesis asks the served API out of its own document, what it allows and what not; `make fuzz` asks much more."""

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import checks

from local.cookies import session_cookie
from local.environment import TEMPLATE
from local.gateway import Gateway
from tests.support.client import Client
from tests.support.conformity import ROUTES
from tests.support.crm import Crm
from tests.support.given import SECRET

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "20"))
# Not among them: 405 and Allow for another method, as API Gateway answers 404; that an empty or unknown parameter is
# refused, as both are ignored on purpose; and who is let in, which test_wrong_input.py and the session's tests ask.
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.positive_data_acceptance,
]


@pytest.mark.parametrize("key", [route.key for route in ROUTES])
def test_an_endpoint_keeps_to_the_document_whatever_it_is_asked(client: Client, crm: Crm, key: str) -> None:
    crm.snapshot()
    crm.linked_customer()
    admin = crm.account(role="admin")
    assert client.post("/crm/api/sync-all-hosting", admin).status_code == 200
    method, path = key.split()
    operation = schemathesis.openapi.from_wsgi("/crm/api/hosting/openapi.json", Gateway(TEMPLATE))[path][method]
    allowed, not_allowed = (operation.as_strategy(generation_mode=mode) for mode in schemathesis.GenerationMode)
    cookies = {"session": session_cookie(SECRET, admin)}
    # That there is such a day or moment, and that two of them make a period, no schema says.
    has_moments = key.endswith(("history", "changes", "hosting-miners"))
    asked = [one for one in CHECKS if not (has_moments and one is checks.positive_data_acceptance)]

    @settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=allowed | not_allowed if operation.path_parameters or operation.query else allowed)
    def ask(case: schemathesis.Case[Any]) -> None:
        # schemathesis does not decompress what it is answered over WSGI.
        case.call_and_validate(checks=asked, cookies=cookies, headers={"Accept-Encoding": "identity"})

    ask()
