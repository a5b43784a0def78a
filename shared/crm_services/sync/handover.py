"""What becomes of a run that is out of time: a function of its own goes on with it."""

import json
from collections.abc import Callable

# Within a VPC that has no way to Lambda's API the invocation would hang: the answer to the caller is worth more.
CONNECT_SECONDS = 2
READ_SECONDS = 4


def to_function(name: str | None) -> Callable[[int, int], None] | None:
    """Hands a run to the function of that name by one asynchronous invocation; None where there is no function."""
    if not name:
        return None

    def hand_over(run_id: int, token: int) -> None:
        import boto3  # noqa: PLC0415 (0.1 s that only a run which is handed over pays)
        from botocore.config import Config  # noqa: PLC0415

        limits = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
        boto3.client("lambda", config=limits).invoke(
            FunctionName=name, InvocationType="Event", Payload=json.dumps({"run_id": run_id, "token": token})
        )

    return hand_over
