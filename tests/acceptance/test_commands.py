"""The command line is a promise: commands and options are the documented ones, errors one sentence and a code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from cli.main import app
from storage.schema_version import head_version
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
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("VOIRIE_")}


def voirie(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        env=ENVIRONMENT | {"PYTHONPATH": str(REPOSITORY)} | variables,
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


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


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_of_every_command(command: str, tmp_path: Path):
    done = voirie(*command.split(), "--help", cwd=tmp_path)
    assert done.returncode == 0
    assert ("--config" in done.stdout) is (command not in WITHOUT_SETTINGS)


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
    done = voirie(*arguments, cwd=tmp_path, **variables)
    assert done.returncode == 2, done.stderr
    assert sentence in " ".join(done.stderr.replace("│", " ").split())
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_unreachable_database_ends_with_1_and_a_sentence(tmp_path: Path):
    done = voirie("migrate", cwd=tmp_path, VOIRIE_DATABASE__URL="postgresql://nobody@127.0.0.1:9/none")
    assert done.returncode == 1
    assert done.stderr.startswith("voirie: the database does not answer")
    assert "Traceback" not in done.stderr


def test_migrate_is_harmless_when_repeated(embedded_server: Server, tmp_path: Path):
    url = embedded_server.create_database()
    try:
        for _ in range(2):
            done = voirie("migrate", cwd=tmp_path, VOIRIE_DATABASE__URL=url)
            assert (done.returncode, done.stdout) == (0, f"the database has schema {head_version()}\n"), done.stderr
    finally:
        embedded_server.drop_database(url)
