"""What is measured is the same work: the plain statement writes what the batch writes."""

import pytest

from benchmarks import batch, data
from local.postgres import Server, connect


@pytest.mark.usefixtures("environment")
def test_the_floor_writes_what_the_batch_writes(postgres: Server) -> None:
    source = data.make(postgres, 400)
    for name in (batch.ENGINE, batch.PLAIN):
        data.copy(postgres, source, name)

    batch.run_engine(postgres, batch.ENGINE)
    batch.run_plain(postgres, batch.PLAIN)

    batch.assert_equal(postgres)
    with connect(postgres.url(batch.ENGINE)) as db:
        [[synced]] = db.run("select count(*) from crm_customers where miners_count > 0")
    assert 100 < synced <= 120
    for name in (source, batch.ENGINE, batch.PLAIN):
        data.drop(postgres, name)
