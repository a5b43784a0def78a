"""What becomes of a run that is out of time, or asks for more workers than one function holds: a state machine's."""

import json
from collections.abc import Callable
from secrets import token_hex

# Within a VPC that has no way to the API of Step Functions the call would hang: the answer to the caller is worth more.
CONNECT_SECONDS = 2
READ_SECONDS = 4


def to_state_machine(arn: str | None, functions: int) -> Callable[[int, int], None] | None:
    """Hands a run to an execution of that state machine, with so many functions at once; None where there is none."""
    if not arn:
        return None

    def hand_over(run_id: int, token: int) -> None:
        import boto3  # noqa: PLC0415 (0.1 s that only a run which is handed over pays)
        from botocore.config import Config  # noqa: PLC0415

        limits = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
        given = {"run_id": run_id, "token": token, "functions": list(range(1, functions + 1))}
        boto3.client("stepfunctions", config=limits).start_execution(
            stateMachineArn=arn, name=f"run-{run_id}-{token_hex(4)}", input=json.dumps(given)
        )

    return hand_over
