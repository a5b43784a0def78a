"""`make market`: one fetch, and the row or the reason why there is none."""

import json
import os
import subprocess
import sys

from crm_services.postgres.roles import MARKET_ROLE
from local.environment import ROOT
from local.postgres import Server
from tests.support.internet import PRICE, Internet, internet_on_this_machine


def market(internet: Internet, database_url: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "DATABASE_URL": database_url,
        "SESSION_SECRET": "not asked for",
        "MARKET_URL": internet.urls.mempool,
        "MARKET_PRICE_URL": internet.urls.bitstamp,
        "MARKET_CHAIN_URL": internet.urls.esplora,
        "PYTHONPATH": "shared:functions",
    }
    command = [sys.executable, "-m", "local.market"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_it_prints_the_row_or_says_that_there_is_none(postgres: Server, database_name: str) -> None:
    url = postgres.url(database_name, MARKET_ROLE)
    with internet_on_this_machine() as internet:
        fetched = market(internet, url)
        for stranger in (internet.mempool, internet.bitstamp, internet.esplora):
            stranger.answers.clear()
        refused = market(internet, url)

    assert fetched.returncode == 0, fetched.stderr
    assert json.loads(fetched.stdout)["btc_price"] == PRICE
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.endswith("nothing was appended.\n")
