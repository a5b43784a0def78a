"""One invocation of the state machine's function, in a process of its own, which may be killed at any step."""

import os
import signal
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from multiprocessing.connection import Connection
from typing import Any, Literal, NamedTuple

import sync_worker
from crm_services.postgres.database import database
from crm_services.sync import batch, claims, lease, patience, worker
from crm_services.sync.ending import Ending
from local.lambda_context import LambdaContext

# Where it can be killed, in the order of its work.
Step = Literal["joining", "cut a range", "in a chunk", "after a chunk", "before the end", "in the end", "after the end"]


class Invocation(NamedTuple):
    """What it is asked, in how much time, by chunks of how many customers, and at which step it is killed."""

    event: dict[str, Any]
    seconds: float
    chunk: int
    killed_at: Step | None


def invoke(answer: Connection, environment: dict[str, str], asked: Invocation) -> None:
    """Answer with what the handler returned, or the error that it raised, and what it printed."""
    os.environ.clear()
    os.environ.update(environment)
    worker.CHUNK_SIZE = asked.chunk  # type: ignore[attr-defined] # the worker's own name for it
    worker.BUSY_SECONDS = 0.01
    patience.PAUSES_SECONDS, patience.LONG_PAUSE_SECONDS = (0.01, 0.02, 0.05), 0.1
    batch.STOP_BEFORE_MS, batch.END_BEFORE_MS = 1_000, 500
    if asked.killed_at:
        _be_killed(asked.killed_at)
    printed = StringIO()
    told: dict[str, Any]
    with redirect_stdout(printed):
        try:
            told = sync_worker.handler(asked.event, LambdaContext("SyncWorkerFunction", asked.seconds))
        except Exception as error:
            told = {"errorType": type(error).__name__, "errorMessage": str(error)}
    database.close()
    answer.send((told, printed.getvalue()))


def _be_killed(step: Step) -> None:
    """SIGKILL when the process comes to that step."""

    def before(*_given: Any, **_more: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    def after(do: Callable[..., Any]) -> Callable[..., Any]:
        def done(*given: Any, **more: Any) -> Any:
            do(*given, **more)
            os.kill(os.getpid(), signal.SIGKILL)

        return done

    match step:
        case "joining":
            batch.work_together = before  # type: ignore[attr-defined]
        case "cut a range":
            worker.Worker._find = after(worker.Worker._find)  # type: ignore[method-assign]
        case "in a chunk":
            claims.Claim.move = after(claims.Claim.move)  # type: ignore[method-assign]
        case "after a chunk":
            worker.Worker._step = after(worker.Worker._step)  # type: ignore[method-assign]
        case "before the end":
            Ending.end = before  # type: ignore[method-assign]
        case "in the end":
            lease.Lease.end = after(lease.Lease.end)  # type: ignore[method-assign]
        case "after the end":
            Ending.end = after(Ending.end)  # type: ignore[method-assign]
