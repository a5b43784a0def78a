"""The document that clients pin: complete, current, true, and served as it is committed."""

import json
from typing import Any, get_args

import pytest
import schemathesis
from pydantic import BaseModel, TypeAdapter

from crm_services.http.schemas import envelope, fleet, sync
from crm_services.http.schemas.envelope import Failure
from crm_services.http.schemas.fleet import MinersAnswer, StatsAnswer
from crm_services.http.schemas.sync import BatchAnswer, StatusAnswer, SyncedAnswer
from local import openapi
from local.environment import ROOT
from tests.support.client import Client
from tests.support.conformity import DOCUMENT, ROUTES, validator

OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}
PUBLIC = {"GET /crm/api/hosting/openapi.json", "GET /crm/api/hosting/docs"}
MODELS: dict[str, type[BaseModel]] = {
    "hosting_stats": StatsAnswer,
    "hosting_miners": MinersAnswer,
    "sync_hosting": SyncedAnswer,
    "sync_all_hosting": BatchAnswer,
    "sync_status": StatusAnswer,
}
# The contract's tables "Data Validation Schemas": field, type, whether required.
HOSTING_STATS = {
    "has_hosting": (bool, True),
    "user_access_id": (int, False),
    "miners_count": (int, True),
    "total_hashrate": (float, True),
    "total_power": (int, True),
    "active_miners": (int, True),
    "offline_miners": (int, True),
    "estimated_daily_btc": (float, True),
    "estimated_daily_usd": (float, True),
}
MINER_DATA = {
    "id": (int, True),
    "name": (str, True),
    "model": (str, True),
    "quantity": (int, True),
    "hashrate": (float, True),
    "total_hashrate": (float, True),
    "power": (int, True),
    "status": (str, True),
}


def test_the_committed_document_is_what_the_code_says() -> None:
    assert openapi.document() == DOCUMENT, "`make openapi` writes it anew"


def test_code_template_and_document_have_the_same_routes() -> None:
    in_code = {
        f"{route.method} {route.openapi_path}"
        for path in (ROOT / "functions").glob("*.py")
        if hasattr(module := __import__(path.stem), "api")
        for route in module.api._static_routes + module.api._dynamic_routes
    }

    assert in_code == {route.key for route in ROUTES} == set(OPERATIONS)


def test_it_is_open_api_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    with pytest.raises(ValueError, match="required property"):
        schemathesis.openapi.from_dict(DOCUMENT | {"info": {}}).validate()


def test_it_is_served_as_it_is_committed_to_whoever_asks(client: Client) -> None:
    answer = client.get("/crm/api/hosting/openapi.json")

    assert (answer.status_code, answer.json) == (200, DOCUMENT)
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_every_endpoint_but_the_documents_asks_for_the_session_cookie() -> None:
    assert DOCUMENT["components"]["securitySchemes"]["session"] | {"description": ""} == {
        "type": "apiKey", "in": "cookie", "name": "session", "description": "",
    }  # fmt: skip
    for key, operation in OPERATIONS.items():
        assert operation["security"] == ([] if key in PUBLIC else [{"session": []}]), key


def test_every_operation_says_what_it_does_and_how_it_fails() -> None:
    for key, operation in OPERATIONS.items():
        expected = {"200", "500"} if key in PUBLIC else {"200", "401", "403", "500", "503"}
        assert expected <= operation["responses"].keys(), key
        assert operation["summary"], key
        has_rules = any(parameter["in"] == "query" for parameter in operation.get("parameters", []))
        assert ("400" in operation["responses"]) == has_rules, key
        assert ("404" in operation["responses"]) >= ("{" in key), key
    assert len({operation["operationId"] for operation in OPERATIONS.values()}) == len(OPERATIONS)


def test_every_failure_is_shown_in_both_languages() -> None:
    for name, response in DOCUMENT["components"]["responses"].items():
        examples = response["content"]["application/json"]["examples"]
        assert set(examples) == {"Chinese", "English"}, name
        for example in examples.values():
            Failure.model_validate(example["value"], strict=True)


def test_every_example_is_an_answer_of_its_endpoint() -> None:
    assert openapi.EXAMPLES.keys() == MODELS.keys()
    for operation, examples in openapi.EXAMPLES.items():
        [documented] = [one for one in OPERATIONS.values() if one["operationId"] == operation]
        schema = documented["responses"]["200"]["content"]["application/json"]["schema"]
        assert "contract" in examples
        for example in examples.values():
            MODELS[operation].model_validate(example["value"], strict=True)
            validator(json.dumps(schema)).validate(example["value"])


def test_the_models_are_the_contract_s() -> None:
    assert _fields(fleet.HostingStatsSchema, HOSTING_STATS) == HOSTING_STATS
    assert _fields(fleet.MinerDataSchema, MINER_DATA) == MINER_DATA
    # What its examples hold is there under the same name.
    for model, example in (
        (fleet.HostingStatsSchema, openapi.EXAMPLES["hosting_stats"]["contract"]["value"]["data"]),
        (fleet.MinerDataSchema, openapi.EXAMPLES["hosting_miners"]["contract"]["value"]["data"][0]),
        (sync.SyncResultSchema, openapi.EXAMPLES["sync_all_hosting"]["contract"]["value"]["data"]),
        (sync.SyncStatusSchema, openapi.EXAMPLES["sync_status"]["contract"]["value"]["data"]),
    ):
        assert example.keys() <= model.model_fields.keys()


def _fields(model: type[BaseModel], of: dict[str, Any]) -> dict[str, tuple[type, bool]]:
    """Of these fields of a model: which of the contract's types it is, and whether it is required."""
    found: dict[str, tuple[type, bool]] = {}
    for name in of:
        field = model.model_fields[name]
        kind = next((one for one in get_args(field.annotation) if isinstance(one, type)), field.annotation)
        found[name] = (str if kind not in {bool, int, float} else kind, field.is_required())
    return found


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (envelope.Count, -1),
        (fleet.MinerStatus, "Active"),
        (StatsAnswer, {"success": True}),
        (Failure, {"success": True, "error": "…"}),
        (SyncedAnswer, {"success": False, "message": "…"}),
    ],
)
def test_the_models_refuse_what_the_contract_does_not_have(model: Any, wrong: Any) -> None:
    with pytest.raises(ValueError, match="validation error"):
        TypeAdapter(model).validate_python(wrong)
