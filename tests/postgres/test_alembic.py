"""The CRM migrates with Alembic: what autogenerate proposes of the bundle's, with the documented filter and without."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.operations.ops import DropColumnOp, DropIndexOp
from pg8000.native import Connection
from sqlalchemy import Column, Engine, MetaData, Table, create_engine, text
from sqlalchemy.exc import InternalError

from crm_services.postgres.migration import detach, migrate
from crm_services.postgres.target import DatabaseTarget
from local.environment import ROOT
from local.postgres import Server, connect

PAGE = (ROOT / "docs" / "crm-releases.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
OURS = "hosting_"


@pytest.fixture
def engine(postgres: Server, bare: DatabaseTarget) -> Iterator[Engine]:
    """The CRM's own connection to its database."""
    engine = create_engine(
        "postgresql+psycopg2://",
        connect_args={"host": postgres.socket_directory, "port": postgres.port, "user": "crm", "dbname": bare.database},
    )
    yield engine
    engine.dispose()


@pytest.fixture
def models(engine: Engine) -> MetaData:
    """The CRM's models: its tables as they are before the bundle comes."""
    metadata = MetaData()
    metadata.reflect(engine)
    return metadata


def _documented() -> Callable[..., bool]:
    names: dict[str, Any] = {}
    exec(BLOCKS[0], names)  # noqa: S102 (the page's own code)
    found: Callable[..., bool] = names["include_object"]
    return found


def _proposed(engine: Engine, models: MetaData, **options: Any) -> list[Any]:
    with engine.connect() as connection:
        proposed: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), models)
        return proposed


def test_with_the_documented_filter_autogenerate_proposes_nothing(
    engine: Engine, models: MetaData, bare: DatabaseTarget
) -> None:
    assert _proposed(engine, models) == []
    migrate(bare)

    assert _proposed(engine, models, include_object=_documented(), compare_type=True) == []


def test_the_filter_hides_nothing_of_the_crms(engine: Engine, models: MetaData, bare: DatabaseTarget) -> None:
    migrate(bare)
    with engine.begin() as connection:
        connection.execute(text("alter table crm_customers add column nickname text, drop column tags"))

    proposed = _proposed(engine, models, include_object=_documented())

    assert sorted(change[0] for change in proposed) == ["add_column", "remove_column"]


def test_the_columns_as_the_page_writes_them_are_those_that_there_are(
    engine: Engine, models: MetaData, bare: DatabaseTarget
) -> None:
    migrate(bare)
    customers: Table = models.tables["crm_customers"]
    for name, written in re.findall(r"^(\w+) = (.+)$", BLOCKS[1], re.MULTILINE):
        column: Column[Any] = eval(written, {"db": sqlalchemy})  # noqa: S307 (the page's own code)
        column.name = column.key = name
        customers.append_column(column)

    assert _proposed(engine, models, include_object=_documented(), compare_type=True) == []


def test_what_it_drops_without_the_filter_comes_back_and_is_named(
    engine: Engine, models: MetaData, bare: DatabaseTarget, bare_url: str
) -> None:
    migrate(bare)
    proposed = _proposed(engine, models)
    assert {change[0] for change in proposed} == {"remove_column", "remove_index"}

    indexes = [change[1] for change in proposed if change[0] == "remove_index"]
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        for index in indexes:
            operations.invoke(DropIndexOp.from_index(index))
    [change] = [one for one in proposed if one[0] == "remove_column" and one[3].name == "hosting_synced_at"]
    with engine.connect() as connection:
        operations = Operations(MigrationContext.configure(connection))
        with pytest.raises(InternalError, match="depend"):
            operations.invoke(DropColumnOp.from_column_and_tablename(None, change[2], change[3]))

    assert sorted(migrate(bare)) == [f"created index {name}" for name in sorted(index.name for index in indexes)]
    with connect(bare_url) as owner:
        assert _valid(owner) == sorted(index.name for index in indexes)


def _valid(owner: Connection) -> list[str]:
    rows = owner.run(
        "select i.relname::text from pg_index x join pg_class i on i.oid = x.indexrelid"
        " where x.indisvalid and i.relname like 'crm\\_hosting\\_%' order by 1"
    )
    return [str(name) for (name,) in rows]


def test_columns_that_went_while_the_bundle_stood_aside_come_back(bare: DatabaseTarget, bare_url: str) -> None:
    migrate(bare)
    detach(bare)
    with connect(bare_url) as owner:
        owner.run("alter table crm_customers drop column hosting_synced_at, drop column hosting_net_profit_daily")

    changes = migrate(bare)

    assert {
        "created column crm_customers.hosting_synced_at",
        "created column crm_customers.hosting_net_profit_daily",
    } <= set(changes)
    assert migrate(bare) == []
