"""Lists as CSV: what a spreadsheet opens, with the names and figures of the JSON, whole through its pages."""

import csv
import io
import json
import re

import pytest
from pg8000.native import Connection
from werkzeug.test import TestResponse

from crm_services.http.csv import as_csv
from crm_services.postgres.database import database
from crm_services.sync import batch
from tests.support.client import Client
from tests.support.conformity import body_of
from tests.support.crm import Crm


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


def table(answer: TestResponse) -> list[dict[str, str]]:
    assert answer.status_code == 200
    assert answer.content_type == "text/csv; charset=utf-8"
    text = body_of(answer).decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline="")))


def shown(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
    return str(value)


def test_every_list_is_the_same_as_csv(client: Client, crm: Crm, owner: Connection, admin: int) -> None:
    crm.snapshot(price=98_765.43)
    owner.run("alter table crm_customers add constraint few check (miners_count < 50)")
    customer = crm.linked_customer(quantity=3, actual_hashrate=101.375, custom_name='三号, "east"\r\nrow 2')
    crm.linked_customer(quantity=99)
    crm.customer("nobody@example.com", name="nobody", company=None)
    batch.run(database, None, "console")
    [[run]] = owner.run("select max(id) from crm_hosting.runs")
    owner.run(f"insert into crm_hosting.attention values ({customer}, 'hashrate_down', 1, '2026-11-27', 99.5, 10, 90)")

    for path, rows in (
        ("/crm/api/hosting/customers", 3),
        (f"/crm/api/customer/{customer}/hosting-miners", 1),
        (f"/crm/api/customer/{customer}/hosting-history", 1),
        ("/crm/api/hosting/history", 1),
        ("/crm/api/hosting/links", 3),
        ("/crm/api/hosting/attention", 1),
        ("/crm/api/sync-runs", 1),
        (f"/crm/api/sync-runs/{run}", 1),
    ):
        body = json.loads(body_of(client.get(path, admin)), parse_int=str, parse_float=str)["data"]
        listed = body["failures"] if path.endswith(f"/{run}") else body
        exact = json.loads(body_of(client.get(path, admin)))["data"]
        exact = exact["failures"] if path.endswith(f"/{run}") else exact
        found = table(client.get(f"{path}?format=csv", admin))
        assert len(found) == rows, path
        for cells, row, numbers in zip(found, listed, exact, strict=True):
            for name, value in row.items():
                of_json = numbers[name] if isinstance(value, dict | list) else value
                assert cells[name] == shown(of_json), (path, name)
        assert table(client.get(path, admin, accept="text/csv")) == found


def test_an_empty_list_has_the_names_of_its_columns(client: Client, crm: Crm, admin: int) -> None:
    answer = client.get(f"/crm/api/customer/{crm.customer()}/hosting-miners?format=csv", admin)

    assert body_of(answer).decode().startswith("\ufeffid,name,model,quantity,hashrate,total_hashrate,")


def test_a_walk_along_the_links_is_the_whole_list(client: Client, crm: Crm, admin: int) -> None:
    account = crm.account("many@example.com")
    ids = {str(crm.miners(account, custom_name=f"row {n}")) for n in range(7)}
    path = f"/crm/api/customer/{crm.customer('many@example.com')}/hosting-miners?format=csv&limit=3&status=active"
    found: list[str] = []
    while path:
        answer = client.get(path, admin)
        found += [row["id"] for row in table(answer)]
        following = re.fullmatch(r'<(.+)>; rel="next"', answer.headers.get("Link", ""))
        path = following[1] if following else ""

    assert len(found) == 7
    assert set(found) == ids


@pytest.mark.parametrize(
    "sign",
    [
        "=",
        "+",
        "-",
        "@",
        "\t",
        "\r",
        "\n",
        "＝",
        "＋",
        "－",
        "＠",
        "﹦",
        "﹢",
        "﹣",
        "﹫",
        " =",
        "\u200b=",
        "\u3000@",
        "\ufeff+",
    ],
)
def test_no_text_is_a_formula(client: Client, crm: Crm, admin: int, sign: str) -> None:
    account = crm.account("formula@example.com")
    crm.miners(account, custom_name="x", location=f"{sign}cmd|' /C calc'!A0")
    customer = crm.customer("formula@example.com")

    [row] = table(client.get(f"/crm/api/customer/{customer}/hosting-miners?format=csv", admin))

    assert row["location"] == f"'{sign}cmd|' /C calc'!A0"


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("North;=cmd|' /C calc'!A0", "North;'=cmd|' /C calc'!A0"),
        ("a;b; +1", "a;b;' +1"),
        ('x;"=1', "x;'\"=1"),
        ("one\n@two", "one\n'@two"),
        ("one\t-two", "one\t'-two"),
        ("Rack 1-2; shelf = 3", "Rack 1-2; shelf = 3"),
    ],
)
def test_no_text_has_a_formula_in_it_where_semicolons_or_tabs_part_cells(text: str, cell: str) -> None:
    [row] = csv.DictReader(io.StringIO(as_csv(json.dumps([{"name": text}]), ["name"]), newline=""))

    assert list(row.values()) == [cell]


def test_a_cell_of_json_has_the_same_digits_and_begins_no_other_cell() -> None:
    rows = (
        '[{"sites": {"x;=1+1": [12345678901234567890.1234567890, 0.00000010, 1.50], "y": {"z": null, "q\\"": true}}}]'
    )

    [row] = csv.DictReader(io.StringIO(as_csv(rows, ["sites"])[1:], newline=""))

    assert ";" not in row["sites"]
    assert json.loads(row["sites"], parse_float=str) == json.loads(rows, parse_float=str)[0]["sites"]


def test_a_figure_below_zero_stays_a_figure() -> None:
    assert as_csv('[{"loss": -12.50, "text": "-12.50", "none": null}]', ["loss", "text", "none"]) == (
        "\ufeffloss,text,none\r\n-12.50,'-12.50,\r\n"
    )


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("text/csv;q=0.9, application/json;q=0.5", "text/csv"),
        ("application/json, text/csv;q=0.5", "application/json"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
        ("*/*", "application/json"),
        ("text/csv;q=0", "application/json"),
        ("text/csv;charset=utf-8", "text/csv"),
        ('text/csv; header=present; charset="utf-8"; q=0.9, application/json;q=0.5', "text/csv"),
        ("application/json; charset=utf-8, text/csv;q=0.9", "application/json"),
        ("text/*", "text/csv"),
        ("text/*;q=0.5, application/json", "application/json"),
        ("application/json;q=0.2, */*;q=0.9, text/csv;q=0.5", "text/csv"),
        ("text/csv;q=0.3, */*;q=0.5", "application/json"),
        ("text/csv;q=0, text/*", "application/json"),
        ("", "application/json"),
    ],
)
def test_what_is_liked_better_is_answered(client: Client, crm: Crm, admin: int, accept: str, kind: str) -> None:
    assert client.get("/crm/api/hosting/customers", admin, accept=accept).mimetype == kind


def test_another_format_is_told_which_there_are(client: Client, crm: Crm, admin: int) -> None:
    answer = client.get("/crm/api/hosting/customers?format=xlsx", admin)

    assert answer.status_code == 400
    assert "json, csv" in json.loads(answer.get_data())["error"]


def test_a_failure_is_json_whatever_is_asked_for(client: Client, crm: Crm, admin: int) -> None:
    for path, user in (("/crm/api/hosting/customers?limit=0", admin), ("/crm/api/hosting/customers", None)):
        answer = client.get(path, user, accept="text/csv")
        assert answer.status_code in {400, 401}
        assert answer.mimetype == "application/json"
