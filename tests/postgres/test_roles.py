"""The bundle's roles are the server's: several stacks and their secrets, rotation, servers that let nobody connect."""

import gc
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from crm_services.base.errors import MigrationRefused, QueryFailed
from crm_services.postgres.connecting import session
from crm_services.postgres.migration import migrate, unmigrate
from crm_services.postgres.roles import SETTINGS, Login, bundle_login
from crm_services.postgres.target import DatabaseTarget, parse_database_url
from local.postgres import Server, connect, server
from tests.support.bare import bare_database

# The driver leaves the file of a connection that was refused to the garbage collector, which finds it closed.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed")


@pytest.fixture(scope="module")
def strict() -> Iterator[Server]:
    """A server of its own that asks all but the CRM and the superuser for a password."""
    with TemporaryDirectory() as folder, server(folder, {"fsync": "off"}) as running:
        rules = Path(folder) / "data" / "pg_hba.conf"
        rules.write_text("local all crm,postgres trust\nlocal all all scram-sha-256\n")
        with connect(running.url("postgres", "postgres")) as admin:
            admin.run("select pg_reload_conf()")
        yield running
    gc.collect()


@pytest.fixture
def prod(strict: Server) -> Iterator[DatabaseTarget]:
    with bare_database(strict) as url:
        yield parse_database_url(url)
        _forget(parse_database_url(url))


@pytest.fixture
def dev(strict: Server) -> Iterator[DatabaseTarget]:
    with bare_database(strict) as url:
        yield parse_database_url(url)
        _forget(parse_database_url(url))


def _forget(owner: DatabaseTarget) -> None:
    for name in ("crm_hosting", "crm_dev", "Crm Prod"):
        unmigrate(owner, Login(name))


def _as(owner: DatabaseTarget, user: str, password: str) -> DatabaseTarget:
    return DatabaseTarget(user, password, owner.database, owner.host, owner.port, sslmode="disable")


def _sees(owner: DatabaseTarget, user: str, password: str) -> str:
    """Who that login is, having asked for the customers' number; raises where it may not."""
    with session(_as(owner, user, password)) as run:
        run("select count(*) from crm_hosting.customers")
        return str(run("select current_user")[0][0])


# ── Two stacks on one server ─────────────────────────────────────────────────────────────────────────────────


def test_two_stacks_have_each_a_role_with_a_password_of_its_own(prod: DatabaseTarget, dev: DatabaseTarget) -> None:
    migrate(prod, Login(password="of prod"))
    changes = migrate(dev, Login("crm_dev", "of dev"))
    migrate(prod, Login(password="of prod"))

    assert {"created role crm_dev", "created role crm_dev_market"} <= set(changes)
    assert _sees(prod, "crm_hosting", "of prod") == "crm_hosting"
    assert _sees(dev, "crm_dev", "of dev") == "crm_dev"
    for target, user, password in ((dev, "crm_hosting", "of prod"), (prod, "crm_dev", "of dev")):
        with pytest.raises(QueryFailed, match="42501"):
            _sees(target, user, password)


def test_a_second_stack_does_not_take_the_first_ones_password_away(prod: DatabaseTarget, dev: DatabaseTarget) -> None:
    migrate(prod, Login(password="of prod"))

    with pytest.raises(MigrationRefused, match=f"in use in {prod.database} .* username of its own"):
        migrate(dev, Login(password="of dev"))

    assert _sees(prod, "crm_hosting", "of prod") == "crm_hosting"
    with session(dev) as run:
        assert run("select to_regnamespace('crm_hosting')") == [[None]]


def test_two_stacks_that_share_a_password_may_share_the_role(prod: DatabaseTarget, dev: DatabaseTarget) -> None:
    migrate(prod, Login(password="of both"))
    migrate(dev, Login(password="of both"))

    assert _sees(prod, "crm_hosting", "of both") == _sees(dev, "crm_hosting", "of both") == "crm_hosting"


def test_a_stack_that_stands_alone_gets_its_new_password(prod: DatabaseTarget) -> None:
    migrate(prod, Login(password="old"))

    assert migrate(prod, Login(password="new")) == ["set the password of role crm_hosting"]
    assert _sees(prod, "crm_hosting", "new") == "crm_hosting"


def test_unmigrate_takes_the_stacks_own_roles_away_alone(prod: DatabaseTarget, dev: DatabaseTarget) -> None:
    migrate(prod, Login(password="of prod"))
    migrate(dev, Login("crm_dev", "of dev"))

    changes = unmigrate(dev, Login("crm_dev"))

    assert changes[-2:] == ["dropped role crm_dev", "dropped role crm_dev_market"]
    assert _sees(prod, "crm_hosting", "of prod") == "crm_hosting"


def test_a_role_may_have_any_name(prod: DatabaseTarget) -> None:
    migrate(prod, Login("Crm Prod", "its own"))

    assert migrate(prod, Login("Crm Prod", "its own")) == []
    assert _sees(prod, "Crm Prod", "its own") == "Crm Prod"


def test_a_role_that_was_replaced_keeps_no_right(prod: DatabaseTarget) -> None:
    migrate(prod, Login(password="old"))

    migrate(prod, Login("crm_dev", "new"))

    assert _sees(prod, "crm_dev", "new") == "crm_dev"
    with pytest.raises(QueryFailed, match="42501"):
        _sees(prod, "crm_hosting", "old")


def test_what_somebody_has_set_for_the_role_since_is_as_the_bundle_needs_it_again(
    prod: DatabaseTarget, strict: Server
) -> None:
    migrate(prod, Login(password="its own"))
    with connect(strict.url(prod.database, "postgres")) as admin:
        admin.run("alter role crm_hosting valid until '2020-01-01'")
        admin.run("alter role crm_hosting set lock_timeout = '1ms'")
        for setting in ("idle_in_transaction_session_timeout = '1ms'", "work_mem = '8MB'"):
            admin.run(f"alter role crm_hosting in database {prod.database} set {setting}")

    assert set(migrate(prod, Login(password="its own"))) == {
        "let role crm_hosting log in again, whose password had expired",
        "set lock_timeout of role crm_hosting to 0",
        "took back idle_in_transaction_session_timeout = 1ms, which was set for role crm_hosting in this database",
    }
    assert migrate(prod, Login(password="its own")) == []
    assert _sees(prod, "crm_hosting", "its own") == "crm_hosting"


@pytest.mark.parametrize("login", [
    Login("r" * 64), Login("r" * 57), Login(""), Login("public"), Login("pg_bundle"), Login(password="line\n"),
    Login(password="\U0001f600")], ids=repr)  # fmt: skip
def test_a_login_that_no_server_takes_is_said_to_be_none(prod: DatabaseTarget, login: Login) -> None:
    with pytest.raises(MigrationRefused, match=r"^Nothing was changed\. (No role can be called|The password of)"):
        migrate(prod, login)


def test_a_role_that_the_server_lets_in_no_way_is_warned_of(prod: DatabaseTarget, strict: Server) -> None:
    with connect(strict.url(prod.database, "postgres")) as admin:
        rules = Path(admin.run("show hba_file")[0][0])
        before = rules.read_text()
        try:
            rules.write_text(f"local all crm_outside reject\n{before}")
            admin.run("select pg_reload_conf()")
            changes = migrate(prod, Login("crm_outside", "its own"))
        finally:
            rules.write_text(before)
            admin.run("select pg_reload_conf()")

    assert any("crm_outside cannot log in from here even so (28000): pg_hba.conf" in change for change in changes)


# ── Alternating users ────────────────────────────────────────────────────────────────────────────────────────


def test_a_rotation_that_alternates_users_works_with_either(prod: DatabaseTarget, strict: Server) -> None:
    migrate(prod, Login(password="first"))
    with connect(strict.url(prod.database, "postgres")) as admin:  # as AWS's own rotation function does
        admin.run("create role crm_hosting_clone with login password 'second'")
        admin.run("grant crm_hosting to crm_hosting_clone")
        admin.run("grant crm_hosting_clone to crm with admin option")

    changes = migrate(prod, Login("crm_hosting_clone", "second"))

    assert "set search_path of role crm_hosting_clone to pg_catalog, pg_temp" in changes
    assert "set the password of role crm_hosting" not in changes
    assert migrate(prod, Login("crm_hosting_clone", "second")) == []
    assert migrate(prod, Login("crm_hosting", "first")) == []
    assert _sees(prod, "crm_hosting_clone", "second") == "crm_hosting_clone"
    assert _sees(prod, "crm_hosting", "first") == "crm_hosting"
    with connect(strict.url(prod.database, "postgres")) as admin:
        [one, other] = admin.run(
            "select rolconfig, rolconnlimit from pg_roles where rolname in ('crm_hosting', 'crm_hosting_clone')"
        )
    assert one == other
    assert len(one[0]) == len(SETTINGS)


def test_a_clone_on_a_server_that_knows_neither_gets_the_rights(prod: DatabaseTarget) -> None:
    changes = migrate(prod, Login("crm_hosting_clone", "restored"))

    assert "made crm_hosting_clone a member of crm_hosting" in changes
    assert _sees(prod, "crm_hosting_clone", "restored") == "crm_hosting_clone"
    assert migrate(prod, Login("crm_hosting_clone", "restored")) == []


def test_a_clone_that_is_another_roles_to_change_is_named(prod: DatabaseTarget, strict: Server) -> None:
    migrate(prod, Login(password="first"))
    with connect(strict.url(prod.database, "postgres")) as admin:
        admin.run("create role crm_hosting_clone with login password 'second'")
        admin.run("grant crm_hosting to crm_hosting_clone")

    said = migrate(prod, Login(password="first"))

    with connect(strict.url(prod.database, "postgres")) as admin:
        [[version]] = admin.run("select current_setting('server_version_num')::int / 10000")
        admin.run("drop role crm_hosting_clone")
    assert all("crm_hosting_clone" in one for one in said)
    # Before 16, who may create roles may change any.
    assert (
        ["warning: crm_hosting_clone logs in as a member" in one for one in said] == [True] if version >= 16 else said
    )


# ── A server that lets nobody connect who was not let ────────────────────────────────────────────────────────


def test_where_not_everybody_may_connect_the_bundle_may(prod: DatabaseTarget) -> None:
    with session(prod) as run:
        run(f"revoke connect on database {prod.database} from public")

    changes = migrate(prod, Login(password="secret"))

    assert f"let role crm_hosting connect to database {prod.database}" in changes
    assert _sees(prod, "crm_hosting", "secret") == "crm_hosting"
    assert migrate(prod, Login(password="secret")) == []
    assert unmigrate(prod)[-2:] == ["dropped role crm_hosting", "dropped role crm_hosting_market"]


# ── Rights of others ─────────────────────────────────────────────────────────────────────────────────────────


def test_default_privileges_give_nobody_the_bundles_functions_nor_its_views(
    prod: DatabaseTarget, strict: Server
) -> None:
    with session(prod) as run:
        run("alter default privileges grant all on tables to public")
        run("alter default privileges grant execute on functions to public")

    migrate(prod)

    with connect(strict.url(prod.database, "postgres")) as admin:
        admin.run("create role reporting login")
        try:
            assert (
                admin.run("""
                select p.proname from pg_proc p where p.pronamespace = 'crm_hosting'::regnamespace
                  and (p.prosecdef or p.provolatile = 'v') and has_function_privilege('reporting', p.oid, 'execute')""")
                == []
            )
            assert (
                admin.run("""
                select c.relname from pg_class c where c.relnamespace = 'crm_hosting'::regnamespace
                  and (c.relkind = 'v' and has_table_privilege('reporting', c.oid, 'select')
                    or c.relkind = 'r' and has_table_privilege('reporting', c.oid, 'insert, update, delete'))""")
                == []
            )
        finally:
            admin.run("drop role reporting")
    assert migrate(prod) == []


def test_without_a_secret_the_environment_may_name_the_role(environment: pytest.MonkeyPatch) -> None:
    assert bundle_login() == Login("crm_hosting", None, 25)
    environment.setenv("DATABASE_ROLE", "crm_dev")
    assert bundle_login() == Login("crm_dev", None, 25)
    assert bundle_login().market == Login("crm_dev_market", None, 2)
