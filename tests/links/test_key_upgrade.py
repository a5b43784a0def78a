"""A database of version 0.1.0, whose index holds the keys of that version; and servers of other locales."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from pg8000.native import Connection

from crm_services.postgres import migration
from crm_services.postgres.connecting import Run, session
from crm_services.postgres.migration import migrate, unmigrate
from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.environment import ROOT
from local.postgres import Server, connect
from tests.support.bare import first_version
from tests.support.crm import Crm

OLD_INDEX = (
    "create index concurrently crm_hosting_account_email_key on public.user_access (crm_hosting.email_key(email))"
)
INDEX = "crm_hosting_account_email_key"
BY_KEY = """
select a.id from crm_hosting.accounts a where a.email_key = :address
"""
_numbers = count(1)


class CutOff(Exception):
    """The migration's process ends here."""


@pytest.fixture
def url(postgres: Server) -> Iterator[str]:
    """The owner's login to a database of that version, with two accounts whose keys are others now."""
    with first_version(postgres) as found:
        with connect(found) as owner:
            owner.run(OLD_INDEX)
            crm = Crm(owner)
            for email in ("\u200bann@x.com", "-", *(f"a{number}@x.com" for number in range(500))):
                crm.account(email)
            owner.run("analyze user_access")
        yield found


@pytest.fixture
def target(url: str) -> DatabaseTarget:
    return parse_database_url(url)


def by_index(url: str, address: str) -> list[list[int]]:
    """The accounts of that key as the index has them."""
    with connect(url) as owner:
        owner.run("set enable_seqscan = off; select set_config('crm_hosting.scope', 'all', false)")
        plan = "\n".join(line for (line,) in owner.run("explain " + BY_KEY, address=address))
        assert INDEX in plan, plan
        found: list[list[int]] = owner.run(BY_KEY, address=address)
        return found


def test_after_an_upgrade_no_old_entry_of_the_index_decides(url: str, target: DatabaseTarget) -> None:
    changes = migrate(target)

    assert [line for line in changes if INDEX in line] == [
        f"created index {INDEX}_new",
        f"dropped index {INDEX}",
        f"renamed index {INDEX}_new to {INDEX}",
    ]
    assert by_index(url, "ann@x.com") == [[1]]
    assert by_index(url, "-") == []
    assert by_index(url, "a7@x.com") == [[10]]
    assert migrate(target) == []


def test_the_index_of_the_owner_alone_gives_way_to_the_one_in_the_order_of_ids(
    url: str, target: DatabaseTarget
) -> None:
    name = "crm_hosting_customer_owner"
    with connect(url) as owner:
        owner.run(f"create index {name} on crm_customers (created_by_id)")

    changes = migrate(target)

    assert [line for line in changes if name in line] == [
        f"created index {name}_new",
        f"dropped index {name}",
        f"renamed index {name}_new to {name}",
    ]
    with connect(url) as owner:
        [[definition]] = owner.run("select pg_get_indexdef(cast(:name as text)::regclass)", name=name)
    assert definition.endswith("(created_by_id, id)")
    assert migrate(target) == []


@pytest.mark.parametrize(
    "stopped",
    [
        "alter index",
        "drop index concurrently public.crm_hosting_account_email_key",
        "create or replace view",
        "drop function",
    ],
)
def test_an_upgrade_that_was_cut_off_is_finished_by_the_next(
    url: str, target: DatabaseTarget, monkeypatch: pytest.MonkeyPatch, stopped: str
) -> None:
    @contextmanager
    def cut_off(owner: DatabaseTarget) -> Iterator[Run]:
        with session(owner) as run:

            def checked(sql: str, **parameters: object) -> list[list[object]]:
                if stopped in sql:
                    raise CutOff
                return run(sql, **parameters)

            yield checked

    monkeypatch.setattr(migration, "session", cut_off)
    with pytest.raises(CutOff):
        migrate(target)
    monkeypatch.undo()

    migrate(target)

    assert by_index(url, "ann@x.com") == [[1]]
    assert by_index(url, "-") == []
    assert migrate(target) == []


def test_a_half_upgraded_database_can_be_taken_back(url: str, target: DatabaseTarget) -> None:
    with connect(url) as owner:
        owner.run(OLD_INDEX.replace(INDEX, f"{INDEX}_new"))

    unmigrate(target)

    with connect(url) as owner:
        assert owner.run("select count(*) from pg_class where relname like 'crm_hosting%'") == [[0]]


# The last one is PostgreSQL's own since 17.
LOCALES = ["libc locale 'C.UTF-8'", "libc locale 'C'", "builtin locale 'C.UTF-8'"]


@pytest.mark.parametrize("locale", LOCALES)
def test_the_key_is_the_same_whatever_the_server_speaks(postgres: Server, locale: str) -> None:
    name = f"locale_{next(_numbers)}"
    with connect(postgres.url("postgres", "postgres")) as admin:
        [[version]] = admin.run("select current_setting('server_version_num')::int / 10000")
    if version < 17:
        locale = locale.replace("builtin", "libc")
    with connect(postgres.url("postgres", "postgres")) as admin:
        admin.run(f"create database {name} owner crm template template0 encoding 'UTF8' locale_provider {locale}")
    try:
        with connect(postgres.url(name, "crm")) as owner:
            owner.run((ROOT / "shared/crm_services/postgres/sql/schema/10_keys.sql").read_text(encoding="utf-8"))
            assert keys(owner, "INFO@X.COM", "İ@x.com", "ıI@x.com", "ÀÉŁЖ@x.com", "\u3000K\uff20X\u2003") == [
                "info@x.com", "i̇@x.com", "ıi@x.com", "àéłж@x.com", "k@x",
            ]  # fmt: skip
    finally:
        with connect(postgres.url("postgres", "postgres")) as admin:
            admin.run(f"drop database {name} with (force)")


def keys(owner: Connection, *addresses: str) -> list[str]:
    return [owner.run("select crm_hosting.email_key(:address)", address=one)[0][0] for one in addresses]


def test_an_index_that_does_not_compare_by_bytes_is_made_anew(
    owner: Connection, postgres: Server, database_name: str
) -> None:
    target = parse_database_url(postgres.url(database_name))
    owner.run(f"drop index {INDEX}")
    owner.run(OLD_INDEX)
    assert f"renamed index {INDEX}_new to {INDEX}" in migrate(target)
    assert migrate(target) == []

    # And one that does because its column does is as good.
    owner.run("drop view crm_hosting.accounts")
    owner.run('alter table user_access alter column email type varchar(256) collate "C"')
    assert [line for line in migrate(target) if "index" in line] == []
