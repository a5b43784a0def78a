"""Runs in a container: what Lambda would call the init of a function, then one invocation, as a line of JSON."""

import time

started = time.perf_counter()

import importlib  # noqa: E402
import sys  # noqa: E402

import awslambdaric.bootstrap  # noqa: E402, F401 (the runtime's own part)

handler = importlib.import_module(sys.argv[1]).handler
init = time.perf_counter() - started

import json  # noqa: E402
import resource  # noqa: E402

from lambda_context import LambdaContext  # noqa: E402

with open("/event.json", encoding="utf-8") as file:
    event = json.load(file)
started = time.perf_counter()
answer = handler(event, LambdaContext(sys.argv[1], 900))
first = time.perf_counter() - started

peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print()
print(
    json.dumps(
        {
            "init_ms": round(init * 1000, 1),
            "first_ms": round(first * 1000, 1),
            "memory_mb": round(peak, 1),
            "status": answer.get("statusCode") if isinstance(answer, dict) else None,
        }
    )
)
