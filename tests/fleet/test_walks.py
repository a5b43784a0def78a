"""A walk from page to page of the machines, while the CRM's autosave replaces some of them."""

from typing import Any

import pytest

from local import crm_rows
from tests.support.client import Client, data
from tests.support.crm import Crm

LIMIT = 3


@pytest.fixture
def admin(crm: Crm) -> int:
    return crm.account(role="admin")


def fleet(crm: Crm, rows: int) -> tuple[int, str]:
    """An account with so many rows of which every second is named, two of a moment; and its customer's path."""
    account = crm.account("walked@example.com")
    for number in range(rows):
        name = f"rack {number}" if number % 2 else None
        crm.miners(account, custom_name=name, created_at=f"2026-01-01 00:00:{number // 2:02}.000001")
    return account, f"/crm/api/customer/{crm.customer('walked@example.com')}/hosting-miners"


def autosave(crm: Crm, account: int, rows: int) -> None:
    figures: dict[str, Any] = {"actual_hashrate": 100.0, "actual_power": 3000, "electricity_cost": 0.05}
    model = crm.model("Antminer S21")
    crm_rows.autosave(crm.db, account, [crm_rows.batch(account, model, **figures) for _ in range(rows)])


def test_a_row_that_the_autosave_has_replaced_meanwhile_does_not_end_the_walk(
    client: Client, crm: Crm, admin: int
) -> None:
    account, path = fleet(crm, 20)
    stay = [id_ for (id_,) in crm.db.run("select id from user_miners where custom_name is not null"
                                         " order by created_at desc, id desc")]  # fmt: skip
    seen, after = [], ""
    while True:
        answer = client.get(f"{path}?limit={LIMIT}{after}", admin).json
        assert answer is not None
        assert answer["success"], answer
        seen += [one["id"] for one in answer["data"]]
        if answer["next"] is None:
            break
        after = f"&after={answer['next']}"
        autosave(crm, account, 10)

    assert [id_ for id_ in seen if id_ in stay] == stay


def test_an_id_as_the_first_version_gave_it_is_where_its_row_stands_or_stood(
    client: Client, crm: Crm, admin: int
) -> None:
    account, path = fleet(crm, 10)
    ids = [one["id"] for one in data(client.get(path, admin))]

    def after(id_: int) -> list[int]:
        return [one["id"] for one in data(client.get(f"{path}?after={id_}", admin))]

    assert [after(id_) for id_ in ids] == [ids[place + 1 :] for place in range(10)]
    autosave(crm, account, 0)
    stay = [one["id"] for one in data(client.get(path, admin))]
    assert [after(id_) for id_ in ids] == [[one for one in stay if one < id_] for id_ in ids]
    assert after(2**31 - 1) == stay
    assert after(1) == []


def test_another_account_s_row_says_nothing(client: Client, crm: Crm, admin: int) -> None:
    _, path = fleet(crm, 4)
    foreign = crm.miners(crm.account(), created_at="2020-01-01")

    assert data(client.get(f"{path}?after={foreign}", admin)) == data(client.get(path, admin))


def test_a_walk_meets_times_that_no_machine_was_made_at(client: Client, crm: Crm, admin: int) -> None:
    account, path = fleet(crm, 2)
    for moment in ("infinity", "-infinity", "0044-03-15 BC", "0001-01-01", "12345-01-01"):
        crm.miners(account, created_at=moment)
    whole = [one["id"] for one in data(client.get(path, admin))]

    walked, after = [], ""
    for _ in whole:
        answer = client.get(f"{path}?limit=1{after}", admin).json
        assert answer is not None
        walked += [one["id"] for one in answer["data"]]
        after = f"&after={answer['next']}"

    assert walked == whole
    assert after == "&after=None"
