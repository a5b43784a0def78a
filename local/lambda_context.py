"""What Lambda hands to a handler beside the event."""

import time
from dataclasses import dataclass, field
from uuid import uuid4

REGION = "eu-central-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class LambdaContext:
    """The context of one invocation, with Lambda's own names."""

    function_name: str
    timeout: float = 29.0
    memory_limit_in_mb: int = 512
    function_version: str = "$LATEST"
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    @property
    def log_stream_name(self) -> str:
        return f"local/[{self.function_version}]"

    def get_remaining_time_in_millis(self) -> int:
        """The time until Lambda would end the invocation, in milliseconds."""
        return max(0, round((self.started + self.timeout - time.monotonic()) * 1000))
