"""Several workers at one run: 99 % of the work is PostgreSQL's, so each is a connection and a thread that waits."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

from aws_lambda_powertools import Logger

from crm_services.base.errors import Unavailable
from crm_services.postgres.database import Database
from crm_services.sync.lease import Lease
from crm_services.sync.patience import Patience
from crm_services.sync.worker import Worker

logger = Logger()


def work_together(
    database: Database, lease: Lease, patience: Patience, has_time: Callable[[], bool], workers: int
) -> tuple[bool, bool]:
    """Whether everything was done before the time was up, and whether anything was.

    The first worker has the given connection, the others one of their own each: where none is to be had they are
    missing, and nothing else is. What any of them fails by otherwise stops them all, and is raised.
    """
    stopped = Event()

    def goes_on() -> bool:
        return not stopped.is_set() and has_time()

    def beside() -> None:
        try:
            with closing(Database()) as own:
                Worker(own, lease, patience).work(goes_on)
        except Unavailable as error:
            logger.warning("one worker less", run_id=lease.run_id, error=repr(error))
        except BaseException:
            stopped.set()
            raise

    first = Worker(database, lease, patience)
    with ThreadPoolExecutor(max(1, workers - 1)) as pool:
        others = [pool.submit(beside) for _ in range(workers - 1)]
        try:
            is_done = first.work(goes_on)
        except BaseException:
            stopped.set()
            raise
    for other in others:
        other.result()
    return is_done, first.has_begun
