"""The command line is a promise: commands and options are the documented ones, errors one sentence and a code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import app
from storage.schema_version import head_version
from tests.commanding import ENVIRONMENT, run_voirie
from tests.conftest import Server
from tests.tools import REPOSITORY


def commands_of(group: Any, *path: str) -> dict[str, Any]:
    """Every command by its words: ("devices", "import") is one."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            if command.invoke_without_command:
                found[" ".join((*path, name))] = command
            found |= commands_of(command, *path, name)
        else:
            found[" ".join((*path, name))] = command
    return found


COMMANDS = commands_of(typer.main.get_command(app))
WITHOUT_SETTINGS = {"decode", "solve", "evaluate fill", "evaluate occupancy"}


def test_documented_commands_and_options_are_the_real_ones():
    documented = {}
    for line in (REPOSITORY / "docs" / "commands.md").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| `voirie ([\w -]+)` \|([^|]*)\|", line):
            documented[match[1]] = set(re.findall(r"`(--[\w-]+)`", match[2]))
    real = {
        name: {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        - {"--config", "--help"}
        for name, command in COMMANDS.items()
    }
    assert documented == real


HELPED = """
import json, os, runpy, sys
import cli.main
told = {}
for command in json.load(sys.stdin):
    child = os.fork()
    if not child:
        output = os.open("help", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(output, 1)
        sys.argv = ["voirie", *command.split(), "--help"]
        runpy.run_module("cli", run_name="__main__")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    told[command] = status, open("help", encoding="utf-8").read()
json.dump(told, sys.stdout)
"""
"""Runs each command's help in a process of its own; what all commands import is imported once for them all."""


@pytest.fixture(scope="module")
def helps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """For each command, how its help ended and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", HELPED],
        env=ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)},
        cwd=tmp_path_factory.mktemp("helps"),
        input=json.dumps(sorted(COMMANDS)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, tuple[int, str]] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_of_every_command(helps: dict[str, tuple[int, str]], command: str):
    status, said = helps[command]
    assert status == 0
    assert ("--config" in said) is (command not in WITHOUT_SETTINGS)


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        pytest.param(["demo", "--json"], {}, "--json needs --once", id="an endless demo has no result"),
        pytest.param(["demo", "--once", "--streets", "none.pbf"], {}, "there is no file", id="missing extract"),
        pytest.param(["demo", "--once", "--bins", "5"], {}, "simulator.bins", id="an option breaks a setting's rule"),
        pytest.param(["collect"], {}, "database.url is not set", id="no database"),
        pytest.param(
            ["worker"], {"VOIRIE_DATABASE__URL": "mysql://x"}, "database.url is not a PostgreSQL", id="other database"
        ),
        pytest.param(["api", "--port", "0"], {}, "api.port", id="impossible port"),
        pytest.param(["api"], {"VOIRIE_API__PROT": "80"}, "has no option 'prot'", id="misspelt variable"),
        pytest.param(["migrate", "--config", "none.toml"], {}, "cannot be read", id="missing settings"),
        pytest.param(["plan", "--date", "tomorrow"], {}, "database.url is not set", id="settings come first"),
        pytest.param(["nonsense"], {}, "No such command", id="unknown command"),
    ],
)
def test_bad_usage_ends_with_2_and_a_sentence(
    arguments: list[str], variables: dict[str, str], sentence: str, tmp_path: Path
):
    done = run_voirie(*arguments, cwd=tmp_path, **variables)
    assert done.returncode == 2, done.stderr
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_unreachable_database_ends_with_1_and_a_sentence(tmp_path: Path):
    done = run_voirie("migrate", cwd=tmp_path, VOIRIE_DATABASE__URL="postgresql://nobody@127.0.0.1:9/none")
    assert done.returncode == 1
    assert done.stderr.startswith("voirie: the database does not answer")
    assert "Traceback" not in done.stderr


def test_migrate_is_harmless_when_repeated(embedded_server: Server, tmp_path: Path):
    url = embedded_server.create_database()
    try:
        for _ in range(2):
            done = run_voirie("migrate", cwd=tmp_path, VOIRIE_DATABASE__URL=url)
            assert (done.returncode, done.stdout) == (0, f"the database has schema {head_version()}\n"), done.stderr
    finally:
        embedded_server.drop_database(url)
