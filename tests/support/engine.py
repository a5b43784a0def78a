"""Step Functions and Lambda as moto has them: the template's state machine runs the real handler."""

import json
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.awslambda_simple.models import LambdaSimpleBackend
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.eval_component import EvalComponent

from tests.support import function
from tests.support.cloudformation import Stack

# A process that forks the functions: the tests' own has threads, and starting Python anew takes a second.
_functions = multiprocessing.get_context("forkserver")
_functions.set_forkserver_preload(["tests.support.function"])


class Engine:
    """What happens to the functions, and what they and the executions have told."""

    def __init__(self, machine: str) -> None:
        self.machine = machine
        self.killed_at: list[function.Step] = []  # the next functions, at these steps
        self.seconds: list[float] = []  # of the next functions, instead of 900
        self.before: Callable[[], object] = lambda: None  # each function
        self.chunk = 40
        self._one_at_a_time = Lock()
        self.invocations: list[dict[str, Any]] = []
        self.waits: list[float] = []
        self.printed = ""

    def executions(self) -> list[str]:
        """The executions that were started, oldest first."""
        client = boto3.client("stepfunctions")
        found = client.list_executions(stateMachineArn=self.machine)["executions"]
        return [one["executionArn"] for one in sorted(found, key=lambda one: one["startDate"])]

    def ended(self, execution: str | None = None) -> str:
        """How the execution ended, the newest one unless said otherwise."""
        client = boto3.client("stepfunctions")
        execution = execution or self.executions()[-1]
        for _ in range(2400):
            status: str = client.describe_execution(executionArn=execution)["status"]
            if status != "RUNNING":
                return status
            time.sleep(0.05)
        raise AssertionError("the execution does not end")

    def invoke(self, name: str, _qualifier: Any, body: Any, _headers: Any, answer: Any) -> bytes:
        """What Lambda does."""
        assert name.endswith("SyncWorkerFunction"), name
        event = json.loads(body)
        self.invocations.append(event)
        with self._one_at_a_time:
            self.before()
        ours, theirs = _functions.Pipe(duplex=False)
        killed_at = self.killed_at.pop(0) if self.killed_at else None
        seconds = self.seconds.pop(0) if self.seconds else 900.0
        given = (theirs, dict(os.environ), function.Invocation(event, seconds, self.chunk, killed_at))
        process = _functions.Process(target=function.invoke, args=given)
        process.start()
        theirs.close()
        try:
            told, printed = ours.recv()
        except EOFError:
            told, printed = {"errorType": "Runtime.ExitError", "errorMessage": "killed"}, ""
        process.join()
        self.printed += printed
        if "errorType" in told:
            answer["x-amz-function-error"] = "Unhandled"
        return json.dumps(told).encode()


@contextmanager
def engine(environment: pytest.MonkeyPatch, functions: int) -> Iterator[Engine]:
    """An AWS that has the stack's state machine in it, and the environment of the functions that start it."""
    stack = Stack()
    given = stack.of_type("AWS::StepFunctions::StateMachine")["SyncStateMachine"]
    definition = given["DefinitionString"]
    for name, value in given["DefinitionSubstitutions"].items():
        definition = definition.replace(f"${{{name}}}", value.replace("SyncWorkerFunction.Arn", FUNCTION))
    for name, value in {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }.items():
        environment.setenv(name, value)
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}, "lambda": {"use_docker": False}}):
        client = boto3.client("stepfunctions")
        machine = client.create_state_machine(name="sync", definition=definition, roleArn=ROLE)["stateMachineArn"]
        environment.setenv("SYNC_STATE_MACHINE", machine)
        environment.setenv("BATCH_FUNCTIONS", str(functions))
        service = Engine(machine)
        environment.setattr(LambdaSimpleBackend, "invoke", service.invoke)
        environment.setattr(retrier_decl, "time", SimpleNamespace(sleep=service.waits.append))
        # moto names what it counts attempts by when they are first counted: two branches at once name it twice.
        environment.setattr(EvalComponent, "heap_key", property(lambda component: str(id(component))))
        yield service


FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:SyncWorkerFunction"
ROLE = "arn:aws:iam::123456789012:role/role"
