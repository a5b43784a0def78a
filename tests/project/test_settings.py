"""What the bundle reads from its environment, what README says of it, and what a deployment can set."""

import ast
import re

import pytest
from samtranslator.yaml_helper import yaml_parse

from crm_services.base.settings import connection_limit, machine_source, market_urls, settings, snapshot_time_zone
from local.environment import ROOT, TEMPLATE
from tests.support.cloudformation import Stack

DEPLOYED = [*(ROOT / "shared" / "crm_services").rglob("*.py"), *(ROOT / "functions").glob("*.py")]
NAME = r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+"
# What Lambda itself puts into the environment.
LAMBDAS_OWN = "AWS_"
# On a laptop or in a test; in AWS the secrets and the host say it.
LOCAL = {"DATABASE_URL", "DATABASE_ROLE", "SESSION_SECRET", "PORT"}
# A resource of the stack itself.
ITS_OWN = {"SYNC_STATE_MACHINE": "SyncStateMachine"}
PARAMETERS = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))["Parameters"]


def _read() -> set[str]:
    """Every name that the deployed code asks its environment for, itself or by a function that it hands the name to."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in DEPLOYED]
    functions = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    readers: set[str] = set()
    while True:
        found = {one.name for one in functions if {arg.arg for arg in one.args.args} & _asked(one, readers, ast.Name)}
        if found == readers:
            break
        readers = found
    names = set().union(*(_asked(tree, readers, ast.Constant) for tree in trees))
    return {name for name in names if not name.startswith(LAMBDAS_OWN)}


def _asked(tree: ast.AST, readers: set[str], kind: type[ast.Name | ast.Constant]) -> set[str]:
    """The variables, or the texts, that are asked of `os.environ` there, or handed first to one of the readers."""
    asked: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "os.environ":
            asked.append(node.slice)
        elif isinstance(node, ast.Call) and node.args:
            function = ast.unparse(node.func)
            if function == "os.environ.get" or function.rpartition(".")[2] in readers:
                asked.append(node.args[0])
    values = [
        node.id if isinstance(node, ast.Name) else getattr(node, "value", None)
        for node in asked
        if isinstance(node, kind)
    ]
    return {value for value in values if isinstance(value, str)}


def _documented() -> set[str]:
    """The names in the cells of README's tables that are headed by settings, or stand under Settings."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    [table] = re.findall(r"^## Settings\n(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    [market] = re.findall(r"^\| parameter \| setting \|.*?\n\n", text, re.MULTILINE | re.DOTALL)
    first = [row.split("|")[1] for row in table.splitlines() if row.startswith("| ")]
    second = [row.split("|")[2] for row in market.strip().splitlines()]
    return {name for cell in first + second for name in re.findall(rf"`({NAME}|PORT)`", cell)}


def _given() -> dict[str, set[str]]:
    """The variables of the functions, each with what the template says for it: a parameter by its name, or a text."""
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    functions = [
        template["Globals"]["Function"],
        *(one.get("Properties", {}) for one in template["Resources"].values()),
    ]
    found: dict[str, set[str]] = {}
    for function in functions:
        for name, value in function.get("Environment", {}).get("Variables", {}).items():
            found.setdefault(name, set()).add(str(value.get("Ref", value) if isinstance(value, dict) else value))
    return found


def test_readme_names_every_setting_that_the_code_reads_and_no_other() -> None:
    assert _documented() == _read() | {"PORT"}


def test_every_setting_is_a_parameter_of_its_name() -> None:
    given = _given()

    for name in _documented() - LOCAL - set(ITS_OWN):
        parameter = "".join(part.capitalize() for part in name.split("_"))
        assert parameter in given.get(name, ()), name
        assert parameter in PARAMETERS, name
    for name, resource in ITS_OWN.items():
        assert given[name] == {resource}


def test_no_function_is_given_what_nobody_reads() -> None:
    powertools = {name for name in _given() if name.startswith("POWERTOOLS_")}

    assert set(_given()) - powertools <= _read()


def test_every_parameter_says_what_it_is_for() -> None:
    self_evident = {"DatabaseHost", "DatabasePort", "DatabaseName", "SubnetIds", "SecurityGroupIds", "LogRetentionDays"}

    assert {name for name, one in PARAMETERS.items() if "Description" not in one} <= self_evident


@pytest.mark.parametrize(
    "function", ["SyncAllHostingFunction", "MarketRefreshFunction", "MigrateFunction", "PanelFunction"]
)
def test_a_parameter_s_default_is_what_the_code_takes_without_it(
    function: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(settings.cache_clear)
    own = {"PUBLIC_ORIGIN", "ALLOWED_ORIGINS", *ITS_OWN}
    variables = Stack(MarketSecretArn="arn:aws:secretsmanager:eu-central-1:123456789012:secret:market").functions[
        function
    ]
    for name in variables:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LINK_SCOPE", variables["LINK_SCOPE"])
    settings.cache_clear()
    without = _taken()

    for name in variables.keys() - own:
        monkeypatch.setenv(name, variables[name])
    settings.cache_clear()
    assert _taken() == without


def _taken() -> list[object]:
    return [settings(), market_urls(), machine_source(), snapshot_time_zone(), connection_limit()]
