"""Market data from strangers: real servers that misbehave, a real database, and a role that can do one thing."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection
from samtranslator.yaml_helper import yaml_parse

import market_refresh
from crm_services.base.settings import MarketUrls
from crm_services.market.snapshot import Before, MarketUnknown, Refresh
from crm_services.postgres.migration import migrate
from crm_services.postgres.roles import MARKET_ROLE, ROLE, Login, market_login
from crm_services.postgres.target import parse_database_url
from local.environment import ROOT
from local.lambda_context import LambdaContext
from local.postgres import Server, connect
from tests.support.crm import Crm
from tests.support.emf import by_name, metrics_in
from tests.support.internet import (
    BLOCKS_PATH,
    DIFFICULTY,
    HASHRATE,
    HASHRATE_AT_TARGET,
    HEIGHT,
    HEIGHT_PATH,
    MINING_PATH,
    PRICE,
    PRICES_PATH,
    TICKER_PATH,
    Internet,
    ago,
    blocks,
    internet_on_this_machine,
    mining,
    prices,
    ticker,
)  # fmt: skip
from tests.support.strangers import HASTE, PATIENCE, Answer, answer, drip, flood, head, raw, silence

EVENT = json.loads((ROOT / "events" / "market_refresh.json").read_text())
Invoke = Callable[[], tuple[Any, list[dict[str, Any]]]]


@pytest.fixture
def internet() -> Iterator[Internet]:
    """The sources, each well-behaved until the test says otherwise."""
    with internet_on_this_machine() as internet:
        yield internet


@pytest.fixture
def database_url(environment: pytest.MonkeyPatch, postgres: Server, database_name: str) -> str:
    """The function's own login to this test's database."""
    url = postgres.url(database_name, MARKET_ROLE)
    environment.setenv("DATABASE_URL", url)
    return url


@pytest.fixture
def invoke(
    internet: Internet, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Invoke:
    """Invokes the function as Lambda does: what it returns, and the lines it prints."""
    monkeypatch.setenv("MARKET_URL", internet.mempool.url)
    monkeypatch.setenv("MARKET_PRICE_URL", internet.bitstamp.url)
    monkeypatch.setenv("MARKET_CHAIN_URL", internet.esplora.url)

    def invoked() -> tuple[Any, list[dict[str, Any]]]:
        for handler in market_refresh.logger.handlers:
            monkeypatch.setattr(handler, "stream", sys.stdout)
        result = market_refresh.handler(EVENT, LambdaContext("MarketRefreshFunction", 120))
        return json.loads(json.dumps(result)), [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return invoked


@pytest.fixture
def unconfirmed(invoke: Invoke, internet: Internet) -> Invoke:
    """The same where nobody confirms the price."""
    internet.bitstamp.answers.clear()
    return invoke


def rows(owner: Connection) -> list[dict[str, Any]]:
    assert owner.run("select count(*) from network_snapshots where network_difficulty >= 1e6") == [[0]]
    values = owner.run("select * from crm_hosting.market_snapshots order by id")
    return [dict(zip((column["name"] for column in owner.columns or []), row, strict=True)) for row in values]


def price_in_use(owner: Connection) -> float:
    return float(owner.run("select btc_price from crm_hosting.market")[0][0])


def hours_ago(hours: float) -> datetime:
    return (datetime.now(UTC) - timedelta(hours=hours)).replace(tzinfo=None)


def metrics(lines: list[dict[str, Any]]) -> dict[str, float]:
    return by_name(metrics_in("\n".join(map(json.dumps, lines))))


# ── What is appended ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_snapshot_of_the_first_choice_is_appended_and_used(
    invoke: Invoke, internet: Internet, owner: Connection
) -> None:
    result, lines = invoke()

    [row] = rows(owner)
    assert abs(row.pop("recorded_at") - datetime.now(UTC)) < timedelta(minutes=5)
    assert row.pop("response_ms") >= 0
    assert row == {
        "id": 1,
        "btc_price": PRICE,
        "network_difficulty": DIFFICULTY,
        "network_hashrate": 620.0,
        "block_reward": 3.125,
        "price_source": "127.0.0.1",
        "data_source": "127.0.0.1",
        "is_valid": True,
    }
    assert result["recorded"]["btc_price"] == PRICE
    assert internet.asked == [PRICES_PATH, MINING_PATH, HEIGHT_PATH]
    assert metrics(lines) == {"MarketRefreshed": 1}
    assert price_in_use(owner) == PRICE


def test_an_implausible_snapshot_is_appended_and_not_used(
    invoke: Invoke, internet: Internet, crm: Crm, owner: Connection
) -> None:
    crm.snapshot(PRICE / 2, at=hours_ago(1), difficulty=DIFFICULTY)
    internet.bitstamp.answers[TICKER_PATH] = answer(ticker(str(PRICE / 2)))

    result, lines = invoke()

    assert result["recorded"]["is_valid"] is False
    assert [(row["btc_price"], row["is_valid"]) for row in rows(owner)] == [(PRICE, False)]
    assert price_in_use(owner) == PRICE / 2
    assert metrics(lines) == {"MarketImplausible": 1}
    assert [(line["level"], line["doubts"]) for line in lines if "level" in line] == [("WARNING", ["price"])]


@pytest.mark.parametrize("broken", ["price", "difficulty", "height"])
def test_a_figure_that_nobody_knows_appends_nothing_and_is_logged_and_counted_once(
    invoke: Invoke, internet: Internet, owner: Connection, broken: str
) -> None:
    secret = answer("<html>not for the log")
    path, other = {
        "price": (PRICES_PATH, (internet.bitstamp, TICKER_PATH)),
        "difficulty": (MINING_PATH, (internet.esplora, BLOCKS_PATH)),
        "height": (HEIGHT_PATH, (internet.esplora, BLOCKS_PATH)),
    }[broken]
    internet.mempool.answers[path] = secret
    other[0].answers[other[1]] = secret

    result, lines = invoke()

    assert result == {"recorded": None}
    assert rows(owner) == []
    assert metrics(lines) == {"MarketRefreshFailed": 1}
    [logged] = [line for line in lines if "level" in line]
    assert logged["level"] == "ERROR"
    assert logged["failures"] == [f"127.0.0.1: {at}: not the expected figures" for at in (path, other[1])]
    assert "not for the log" not in json.dumps(lines)


def test_without_the_database_nobody_is_asked(
    invoke: Invoke, internet: Internet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://crm_hosting_market@127.0.0.1:1/crm")

    result, lines = invoke()

    assert result == {"recorded": None}
    assert internet.asked == []
    assert metrics(lines) == {"MarketRefreshFailed": 1}
    assert [line["level"] for line in lines if "level" in line] == ["ERROR"]


@pytest.mark.parametrize(
    ("hours", "columns", "is_compared"),
    [(23.9, {}, True), (24.1, {}, False), (1, {"is_valid": False}, False), (1, {"price": float("nan")}, False)],
    ids=["under a day old", "older", "invalid", "not a number"],
)
def test_the_price_is_compared_with_a_valid_snapshot_under_a_day_old(
    unconfirmed: Invoke, crm: Crm, hours: float, columns: dict[str, Any], is_compared: bool
) -> None:
    values: dict[str, Any] = {"price": PRICE * 2, "at": hours_ago(hours), "difficulty": DIFFICULTY}
    crm.snapshot(**values | columns)

    result, _ = unconfirmed()

    assert result["recorded"]["is_valid"] is not is_compared


@pytest.mark.parametrize(("height", "reward"), [(209_999, 50), (839_999, 6.25), (840_000, 3.125), (1_050_000, 1.5625)])
def test_the_reward_follows_from_the_height(internet: Internet, height: int, reward: float) -> None:
    internet.mempool.answers[HEIGHT_PATH] = answer(str(height))

    assert internet.take()[0].block_reward == reward


@pytest.mark.parametrize("hashrate", [1.0, HASHRATE / 1e18, HASHRATE * 1000])
def test_a_hashrate_in_another_unit_is_replaced_by_that_of_the_difficulty(internet: Internet, hashrate: float) -> None:
    internet.mempool.answers[MINING_PATH] = answer(mining(hashrate=hashrate))

    snapshot, _ = internet.take()

    assert snapshot.network_hashrate == pytest.approx(HASHRATE_AT_TARGET)
    assert snapshot.is_valid


# ── What is hard to believe ──────────────────────────────────────────────────────────────────────────────────

NOW = Before(Decimal(PRICE), Decimal(DIFFICULTY), Decimal("3.125"))


@pytest.mark.parametrize(
    ("before", "ticker_says", "tip_says", "doubts"),
    [
        (replace(NOW, price=Decimal(PRICE) / Decimal("1.99")), PRICE / 2, (HEIGHT, DIFFICULTY), []),
        (replace(NOW, price=Decimal(PRICE) * Decimal("1.99")), PRICE * 2, (HEIGHT, DIFFICULTY), []),
        (replace(NOW, price=Decimal(PRICE) / 2), PRICE * 1.04, (HEIGHT, DIFFICULTY), []),
        (replace(NOW, price=Decimal(PRICE) / 2), PRICE * 1.06, (HEIGHT, DIFFICULTY), ["price"]),
        (replace(NOW, price=Decimal(PRICE) * 2), PRICE * 2, (HEIGHT, DIFFICULTY), ["price"]),
        (replace(NOW, price=Decimal(PRICE) * 2), None, (HEIGHT, DIFFICULTY), ["price"]),
        (replace(NOW, difficulty=Decimal(DIFFICULTY) / 2), PRICE, (HEIGHT, DIFFICULTY), []),
        (replace(NOW, difficulty=Decimal(DIFFICULTY) / 2), PRICE, (HEIGHT, DIFFICULTY / 2), ["difficulty"]),
        (replace(NOW, reward=Decimal("6.25")), PRICE, (HEIGHT + 1, DIFFICULTY), []),
        (replace(NOW, reward=Decimal("6.25")), PRICE, (HEIGHT - 1, DIFFICULTY), ["reward"]),
        (replace(NOW, reward=Decimal("6.25")), PRICE, None, ["reward"]),
    ],
    ids=[
        "a price not quite doubled needs nobody",
        "a price not quite halved needs nobody",
        "a doubled price on which both agree",
        "a doubled price on which they differ",
        "a halved price of which the other knows nothing",
        "a halved price that nobody confirms",
        "a doubled difficulty on which both agree",
        "a doubled difficulty of which the other knows nothing",
        "a halving that both have seen",
        "a halving that the other has yet to see",
        "a halving that nobody confirms",
    ],
)
def test_what_halves_or_doubles_needs_both_sources_to_agree(
    internet: Internet, before: Before, ticker_says: float | None, tip_says: tuple[int, float] | None, doubts: list[str]
) -> None:
    internet.bitstamp.answers[TICKER_PATH] = answer(ticker(str(ticker_says)))
    internet.esplora.answers[BLOCKS_PATH] = answer(blocks(*tip_says) if tip_says else "[]")

    snapshot, refresh = internet.take(before)

    assert (refresh.doubts, snapshot.is_valid) == (doubts, not doubts)
    assert (snapshot.btc_price, snapshot.block_reward) == (PRICE, 3.125)


def test_a_jump_that_only_the_second_source_reports_is_not_believed(internet: Internet) -> None:
    internet.mempool.answers[PRICES_PATH] = answer(prices(-1))

    snapshot, refresh = internet.take(replace(NOW, price=Decimal(PRICE) / 2))

    assert (snapshot.btc_price, snapshot.is_valid, refresh.doubts) == (63512.0, False, ["price"])


# ── Misbehaviour ─────────────────────────────────────────────────────────────────────────────────────────────

CHUNKED = head(Transfer_Encoding="chunked")
WAVE = b"%x\r\n%s\r\n" % (65536, b" " * 65536)
WRONG, OLD = "not the expected figures", "not of now"
HOUR, DAY = 3600, 86_400

# What a server does, what we make of it, and how often it is asked.
MISBEHAVIOUR: dict[str, tuple[Answer, str, int]] = {
    "silent": (silence, "too slow", 2),
    "a head that drips": (drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"z"), "too slow", 2),
    "a hundred continues": (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "too slow", 2),
    "a body that drips": (drip(head(Content_Length="9000"), b" "), "too slow", 2),
    "hangs up": (raw(b""), "RemoteDisconnected", 2),
    "cut off in the head": (raw(b"HTTP/1.1 200 OK\r\nContent-Le"), "body of unknown length", 1),
    "cut off in the body": (raw(head(Content_Length="99") + prices()[:40].encode()), "body cut off", 2),
    "cut off in a chunk": (raw(CHUNKED + b"ff\r\n{"), "IncompleteRead", 2),
    "of unknown length": (raw(head(Connection="close") + prices().encode()), "body of unknown length", 1),
    "without end, in chunks": (flood(CHUNKED, WAVE), "body too large", 1),
    "without end, of a size": (flood(head(Content_Length=str(10**15)), WAVE), "body too large", 1),
    "heads without end": (flood(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"), "HTTPException", 2),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "BadStatusLine", 2),
    "an HTML page": (answer("<html><h1>It works!</h1>", Content_Type="text/html"), WRONG, 1),
    "an HTML error page": (answer("<html>Bad Gateway", "502 Bad Gateway", Content_Type="text/html"), "status 502", 2),
    "empty": (answer(""), WRONG, 1),
    "no content": (raw(head("204 No Content")), "status 204", 1),
    "not found": (answer(prices(), "404 Not Found"), "status 404", 1),
    "too many requests, soon": (answer("", "429 Too Many Requests", Retry_After="0"), "status 429", 2),
    "too many requests, in an hour": (answer("", "429 Too Many Requests", Retry_After="3600"), "status 429", 1),
    "NaN": (answer('{"USD": NaN}'), WRONG, 1),
    "NaN as text": (answer('{"USD": "NaN"}'), WRONG, 1),
    "infinite": (answer('{"USD": Infinity}'), WRONG, 1),
    "beyond a double": (answer('{"USD": 1e400}'), WRONG, 1),
    "no price known": (answer(prices(-1)), WRONG, 1),
    "zero": (answer(prices(0)), WRONG, 1),
    "text": (answer(prices("sixty thousand")), WRONG, 1),
    "true": (answer(prices(True)), WRONG, 1),
    "a list": (answer(f"[{prices()}]"), WRONG, 1),
    "null": (answer("null"), WRONG, 1),
    "without dollars": (answer(json.dumps({"time": ago(60), "EUR": 59617})), WRONG, 1),
    "without a time": (answer('{"USD": 63500}'), WRONG, 1),
    "of a time that is none": (answer(prices(at="yesterday")), WRONG, 1),
    "of no time": (answer(prices(at=0)), WRONG, 1),
    "300 days old": (answer(prices(at=ago(300 * DAY))), OLD, 1),
    "two hours old": (answer(prices(at=ago(2 * HOUR))), OLD, 1),
    "of tomorrow": (answer(prices(at=ago(-DAY))), OLD, 1),
    "in milliseconds": (answer(prices(at=ago(0) * 1000)), OLD, 1),
    "nested beyond measure": (answer("[" * 60_000), WRONG, 1),
    "not UTF-8": (raw(head(Content_Length="10") + b'{"USD": \xff}'), WRONG, 1),
}


@pytest.mark.parametrize(("misbehaviour", "reason", "asked"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR)
def test_a_price_that_cannot_be_used_is_asked_of_another(
    internet: Internet, misbehaviour: Answer, reason: str, asked: int
) -> None:
    internet.mempool.answers[PRICES_PATH] = misbehaviour

    snapshot, refresh = internet.take(patience=HASTE if reason == "too slow" else PATIENCE)

    assert refresh.failures == [f"127.0.0.1: {PRICES_PATH}: {reason}"]
    assert internet.mempool.asked.count(PRICES_PATH) == asked
    assert (snapshot.btc_price, snapshot.network_hashrate, snapshot.is_valid) == (63512.0, 620.0, True)


@pytest.mark.parametrize(
    "misbehaviour",
    [
        answer(mining(0, 0)),
        answer(mining(difficulty="NaN")),
        answer(mining(difficulty=-DIFFICULTY)),
        answer(mining()[:-9]),
        answer("<html>", "503 Service Unavailable"),
        answer(mining(day=ago(4 * DAY))),
        answer(mining(day=ago(-DAY))),
        answer(json.dumps({"hashrates": [], "currentHashrate": HASHRATE, "currentDifficulty": DIFFICULTY})),
    ],
    ids=["its node is away", "NaN", "negative", "cut off", "unavailable", "old", "of tomorrow", "of no time"],
)
def test_a_difficulty_that_cannot_be_used_is_asked_of_another(internet: Internet, misbehaviour: Answer) -> None:
    internet.mempool.answers[MINING_PATH] = misbehaviour
    internet.esplora.answers[BLOCKS_PATH] = answer(blocks(difficulty=DIFFICULTY * 2))

    snapshot, _ = internet.take()

    assert snapshot.network_difficulty == DIFFICULTY * 2
    assert snapshot.network_hashrate == pytest.approx(HASHRATE_AT_TARGET * 2)


@pytest.mark.parametrize("height", ["", "-1", "0", "840000.5", '"840000"', "true", "8e5", "6930000000", "<html>"])
def test_a_height_that_cannot_be_used_is_asked_of_another(internet: Internet, height: str) -> None:
    internet.mempool.answers[HEIGHT_PATH] = answer(height)
    internet.esplora.answers[BLOCKS_PATH] = answer(blocks(height=HEIGHT - 1))

    assert internet.take()[0].block_reward == 6.25


def test_when_the_first_choice_is_gone_the_others_do_and_are_named(internet: Internet) -> None:
    internet.mempool.answers.clear()
    refresh = Refresh(
        replace(internet.urls, bitstamp=internet.bitstamp.url.replace("127.0.0.1", "localhost")), PATIENCE
    )

    snapshot = refresh.take(None)

    assert (snapshot.btc_price, snapshot.network_difficulty, snapshot.block_reward) == (63512.0, DIFFICULTY, 3.125)
    assert (snapshot.price_source, snapshot.data_source) == ("localhost", "127.0.0.1")
    assert len(refresh.failures) == 3
    assert internet.bitstamp.asked + internet.esplora.asked == [TICKER_PATH, BLOCKS_PATH]


@pytest.mark.parametrize("seconds", [7 * HOUR, 300 * DAY, -3 * HOUR])
def test_the_chain_of_a_node_that_stands_still_is_none(internet: Internet, seconds: int) -> None:
    internet.mempool.answers[MINING_PATH] = answer("", "503 Service Unavailable")
    internet.esplora.answers[BLOCKS_PATH] = answer(blocks(at=ago(seconds)))

    with pytest.raises(MarketUnknown, match="difficulty"):
        internet.take()


@pytest.mark.parametrize("seconds", [5 * HOUR, 0, -HOUR])
def test_a_block_may_be_hours_old_or_its_clock_ahead(internet: Internet, seconds: int) -> None:
    internet.mempool.answers[MINING_PATH] = answer("", "503 Service Unavailable")
    internet.esplora.answers[BLOCKS_PATH] = answer(blocks(difficulty=DIFFICULTY * 2, at=ago(seconds)))

    assert internet.take()[0].network_difficulty == DIFFICULTY * 2


def test_a_price_that_no_source_has_of_now_is_no_price(invoke: Invoke, internet: Internet, owner: Connection) -> None:
    internet.mempool.answers[PRICES_PATH] = answer(prices(at=ago(300 * DAY)))
    internet.bitstamp.answers[TICKER_PATH] = answer(ticker(at=str(ago(2 * HOUR))))

    result, lines = invoke()

    assert (result, rows(owner)) == ({"recorded": None}, [])
    assert metrics(lines) == {"MarketRefreshFailed": 1}
    [logged] = [line for line in lines if "level" in line]
    assert logged["failures"] == [f"127.0.0.1: {path}: {OLD}" for path in (PRICES_PATH, TICKER_PATH)]


def test_an_old_price_does_not_confirm_a_jump(internet: Internet) -> None:
    internet.bitstamp.answers[TICKER_PATH] = answer(ticker(str(PRICE), at=str(ago(2 * HOUR))))

    assert internet.take(replace(NOW, price=Decimal(PRICE) / 2))[1].doubts == ["price"]


# ── How long it is kept ──────────────────────────────────────────────────────────────────────────────────────


def test_what_is_over_400_days_old_goes_a_few_at_a_time(invoke: Invoke, owner: Connection) -> None:
    owner.run("""
        insert into crm_hosting.market_snapshots (
          recorded_at, btc_price, network_difficulty, network_hashrate, block_reward, is_valid)
        select now() - interval '399 days' - (n - 0.5) * interval '1 hour', n, 1.5e14, 1000, 3.125, true
        from generate_series(1, 200) n""")
    old = "select count(*) from crm_hosting.market_snapshots where recorded_at < now() - interval '400 days'"
    assert owner.run(old) == [[176]]

    for left in (76, 0, 0):
        invoke()
        assert owner.run(old) == [[left]]
    assert len(rows(owner)) == 24 + 3


# ── What the role may do ─────────────────────────────────────────────────────────────────────────────────────


def test_the_role_can_read_the_market_and_append_a_snapshot_and_nothing_else(owner: Connection) -> None:
    relations = """
        select n.nspname || '.' || c.relname, p.privilege
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        cross join unnest(array['select', 'insert', 'update', 'references']) p (privilege)
        where n.nspname in ('public', 'crm_hosting') and c.relkind in ('r', 'v', 'm', 'p', 'f')
          and (has_any_column_privilege(:role, c.oid, p.privilege)
               or has_table_privilege(:role, c.oid, 'delete, truncate, trigger'
                    || case when current_setting('server_version_num')::int >= 170000 then ', maintain' else '' end))
    """
    sequences = """
        select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('public', 'crm_hosting')
          and case when c.relkind = 'S' then has_sequence_privilege(:role, c.oid, 'usage, select, update') end
    """
    functions = """
        select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname in ('public', 'crm_hosting') and p.prosecdef and has_function_privilege(:role, p.oid, 'execute')
    """

    assert owner.run(relations, role=MARKET_ROLE) == [["crm_hosting.market", "select"]]
    assert owner.run(sequences, role=MARKET_ROLE) == []
    assert owner.run(functions, role=MARKET_ROLE) == [["record_snapshot"]]
    assert ["record_snapshot"] not in owner.run(functions, role=ROLE)


FORBIDDEN = """
insert into public.network_snapshots (btc_price, network_difficulty, network_hashrate) values (1, 1, 1);
update public.network_snapshots set is_valid = true;
delete from public.network_snapshots;
select * from public.network_snapshots;
insert into crm_hosting.market_snapshots (btc_price, network_difficulty, network_hashrate, block_reward, is_valid)
  values (1, 1, 1, 1, true);
delete from crm_hosting.market_snapshots;
select * from crm_hosting.market_snapshots;
select * from crm_hosting.customers;
insert into crm_hosting.runs (origin) values ('console');
select crm_hosting.scope_to(null);
create table crm_hosting.mine ();
create table public.mine ()
"""


def test_the_role_is_refused_everything_else(database_url: str) -> None:
    with connect(database_url) as role:
        for statement in FORBIDDEN.split(";"):
            with pytest.raises(DatabaseError, match="'C': '42501'"):
                role.run(statement)


def test_migrating_gives_the_role_its_password_and_few_connections(
    postgres: Server, database_name: str, owner: Connection
) -> None:
    target = parse_database_url(postgres.url(database_name, "crm"))

    migrate(target, market=Login(MARKET_ROLE, "a secret", 2))

    with connect(postgres.url("postgres", "postgres")) as admin:
        assert admin.run(
            "select rolcanlogin, rolpassword like 'SCRAM-SHA-256$%', rolconnlimit, rolsuper or rolcreaterole"
            " from pg_authid where rolname = :role",
            role=MARKET_ROLE,
        ) == [[True, True, 2, False]]


def test_the_password_is_that_of_the_roles_own_secret(aws: pytest.MonkeyPatch) -> None:
    environment = aws
    environment.delenv("DATABASE_URL")
    environment.delenv("MARKET_SECRET_ARN", raising=False)
    for setting, username in (("DATABASE_SECRET_ARN", "crm_dev"), ("MARKET_SECRET_ARN", "somebody")):
        secret = json.dumps({"username": username, "password": "a secret"})
        arn = boto3.client("secretsmanager").create_secret(Name=setting, SecretString=secret)["ARN"]
        if setting == "MARKET_SECRET_ARN":
            assert market_login() == Login("crm_dev_market", None, 2)
        environment.setenv(setting, arn)
    assert market_login() == Login("somebody", "a secret", 2)


# ── The template ─────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_off_unless_its_role_has_a_secret_and_the_addresses_are_parameters() -> None:
    template = yaml_parse((ROOT / "template.yaml").read_text())
    default = {name: parameter.get("Default") for name, parameter in template["Parameters"].items()}
    function = template["Resources"]["MarketRefreshFunction"]

    assert default["MarketSecretArn"] == ""
    assert function["Condition"] == "HasMarketSecret"
    assert template["Conditions"]["HasMarketSecret"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "MarketSecretArn"}, ""]}]}
    assert function["Properties"]["Events"]["Hourly"]["Properties"]["ScheduleExpression"] == "rate(1 hour)"
    assert MarketUrls(default["MarketUrl"], default["MarketPriceUrl"], default["MarketChainUrl"]) == MarketUrls()
