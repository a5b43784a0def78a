"""Cold starts: a new process imports a handler and answers its first request, with the bytecode that the layer ships.

Against the bare libraries that it is made of (pg8000, pydantic, Powertools' logger and validating resolver) in another
new process, in turn; both less the time of an interpreter that does nothing.
"""

import compileall
import json
import os
import py_compile
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import asking, data
from local.environment import ROOT
from local.postgres import Server

ROUNDS = 10
# A small CRM, of which this customer has a fleet: the time is the process's own.
CUSTOMERS, CUSTOMER = 100, 1
LIBRARIES = "annotated_types asn1crypto aws_lambda_powertools dateutil itsdangerous jmespath pg8000 pydantic"
LIBRARIES += " pydantic_core scramp six typing_extensions typing_inspection"

HANDLER = """
import json, sys
from local.lambda_context import LambdaContext
import {module}
assert {module}.handler(json.loads(sys.argv[1]), LambdaContext("cold"))["statusCode"] == 200
"""
HANDLERS = ("hosting_stats", "hosting_miners", "hosting_customers", "sync_hosting", "sync_all_hosting", "sync_status")


def measure(postgres: Server) -> list[dict[str, Any]]:
    """The rows of the table: each handler against the bare libraries, in milliseconds over the interpreter's own."""
    database = data.make(postgres, CUSTOMERS)
    asking.let_in(postgres, database)
    programs = {"": "pass", **{module: HANDLER.format(module=module) for module in ("bare", *HANDLERS)}}
    times: dict[str, list[float]] = {name: [] for name in programs}
    with tempfile.TemporaryDirectory(prefix="cold-") as folder:
        environment = asking.environment(postgres, database) | {"PYTHONPATH": str(_layer(Path(folder)))}
        for round_ in range(ROUNDS + 1):
            for name, program in programs.items():
                spent = _run(program, asking.event(name if name in HANDLERS else HANDLERS[0], CUSTOMER), environment)
                if round_:  # the first fills the machine's caches
                    times[name].append(spent)
    interpreter, bare = min(times[""]), min(times["bare"])
    return [
        {
            "cold start": module, "ours ms": min(times[module]) - interpreter, "bare libraries ms": bare - interpreter,
            "ratio": (min(times[module]) - interpreter) / (bare - interpreter),
        }
        for module in HANDLERS
    ]  # fmt: skip


def _layer(folder: Path) -> Path:
    """The layer, the functions and what stands in for Lambda, with bytecode that is never checked."""
    import pydantic  # noqa: PLC0415

    packages = Path(pydantic.__file__).parent.parent
    for name in os.listdir(packages):
        if name.partition(".")[0].partition("-")[0] in LIBRARIES.split() or name.startswith("six"):
            (shutil.copytree if (packages / name).is_dir() else shutil.copy)(packages / name, folder / name)
    shutil.copytree(ROOT / "shared" / "crm_services", folder / "crm_services")
    shutil.copytree(ROOT / "local", folder / "local")
    for file in (*(ROOT / "functions").glob("*.py"), ROOT / "benchmarks" / "bare.py"):
        shutil.copy(file, folder)
    compileall.compile_dir(folder, quiet=2, force=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return folder


def _run(program: str, event: dict[str, Any], environment: dict[str, str]) -> float:
    """The processor time that the process took, in milliseconds: other work on the machine does not stretch it."""
    # -S: the environment's own packages, which have no such bytecode, are out of sight.
    command = [sys.executable, "-S", "-c", program, json.dumps(event)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, program
    return (usage.ru_utime + usage.ru_stime) * 1000
