"""Whatever a command is given, it ends with an exit code and one clear line: never a trace, never a second line.

Commands run in this process against a real database, so that hundreds of them take seconds.
"""

from __future__ import annotations

import gzip
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from typer.main import get_command

from cli import main
from storage.database import connect
from tests.api.rows import INSEE, save_commune, save_places
from tests.conftest import Server

PLAN = "00000000-0000-4000-8000-000000000002"

READ = {
    "solve FILE": ["solve", "FILE"],
    "restore FILE": ["restore", "FILE"],
    "simulate --scenario": ["simulate", "--scenario", "FILE"],
    "simulate --streets": ["simulate", "--streets", "FILE", "--history-only"],
    "broker files --collector-password-file": ["broker", "files", "--out", "OUT", "--collector-password-file", "FILE"],
    "audit verify --anchor": ["audit", "verify", "--anchor", "FILE"],
    "devices import FILE": ["devices", "import", "FILE"],
    "places import FILE": ["places", "import", "FILE", "--format", "csv"],
    "bins import FILE": ["bins", "import", "FILE"],
    "vehicles import FILE": ["vehicles", "import", "FILE"],
    "evaluate occupancy DATA": ["evaluate", "occupancy", "FILE"],
    "evaluate occupancy --places": ["evaluate", "occupancy", "COUNTS", "--places", "FILE", "--capacity-column", "x"],
    "evaluate fill DATA": ["evaluate", "fill", "FILE"],
    "evaluate fill --places": ["evaluate", "fill", "LEVELS", "--places", "FILE"],
    "evaluate fill --weather": ["evaluate", "fill", "LEVELS", "--weather", "FILE"],
    "report fill --data": ["report", "fill", "--data", "FILE", "--out", "OUT/report.html"],
    "events import FILE": ["events", "import", "FILE"],
    "weather import FILE": ["weather", "import", "FILE"],
    "rules import FILE": ["rules", "import", "FILE"],
    "former import FILE": ["former", "import", "FILE"],
    "sectors import FILE": ["sectors", "import", "FILE"],
    "plan edit --edits": ["plan", "edit", PLAN, "--edits", "FILE"],
    "migrate --config": ["migrate", "--config", "FILE"],
}
"""Each option or argument that names a file to read, and a command that gives one."""
LONG = bool(os.environ.get("VOIRIE_TEST_FUZZ_S"))
EMPTY_IS_FINE = {"migrate --config", "rules import FILE"}
"""An empty file of settings is all defaults."""
CORPUS = Path(__file__).parent / "corpus"


def nasty_files(folder: Path) -> dict[str, Path]:
    """Files that no reader can take."""
    contents = {
        "empty": b"",
        "NUL": b"\0" * 5000,
        "noise": bytes(range(256)) * 40,
        "latin-1": "place_id;é\nà;ç\n".encode("latin-1"),
        "UTF-16": "eui,model\n1,2\n".encode("utf-16"),
        "deep": b"[" * 200_000,
        "one line": b"a" * 3_000_000,
        "one quote": b'"' + b"x\n" * 200_000,
        "wide": b"a," * 100_000 + b"\n",
        "cut gzip": gzip.compress(b"place_id,observed_at,free\n" * 1000)[:-20],
        "broken gzip": b"\x1f\x8b\x08\x00" + b"\xff" * 100,
        "huge number": b'{"version": 1' + b"0" * 5000 + b"}",
        "escapes": b"\x1b]0;title\x07\x1b[2J\n" * 5,
    }
    files = {}
    for number, (name, content) in enumerate(contents.items()):
        files[name] = folder / f"{number}.dat"
        files[name].write_bytes(content)
    loop = folder / "loop"
    loop.symlink_to(loop)
    odd = folder / "a\nb\x1b[2J\u202e.csv"
    odd.write_bytes(b"\xff")
    files |= {"none": folder / "none", "folder": folder, "loop": loop, "an odd name": odd}
    assert set(files) == set(NASTY)
    return files


NASTY = (
    "empty", "NUL", "noise", "latin-1", "UTF-16", "deep", "one line", "one quote", "wide", "cut gzip", "broken gzip",
    "huge number", "escapes", "none", "folder", "loop", "an odd name",
)  # fmt: skip


@pytest.fixture(scope="module")
def town_url(embedded_server: Server) -> Iterator[str]:
    """A database with the small commune."""
    url = embedded_server.create_database()
    with connect(url) as connection:
        save_commune(connection)
        save_places(connection)
        connection.execute("DELETE FROM simulation")
        connection.commit()
    yield url
    embedded_server.drop_database(url)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return nasty_files(tmp_path_factory.mktemp("nasty"))


@pytest.fixture
def place(town_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to run in, with settings that lead to the database; the log is put back afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("VOIRIE_") and not name.startswith("VOIRIE_TEST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VOIRIE_DATABASE__URL", town_url)
    monkeypatch.setenv("VOIRIE_COMMUNE__INSEE_CODE", INSEE)
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield tmp_path
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def run(
    arguments: list[str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> tuple[int, str, str]:
    """Run `voirie` with these arguments; return its exit code, and what it said on both outputs."""
    monkeypatch.setattr(sys, "argv", ["voirie", *arguments])
    capfd.readouterr()
    try:
        main.run()
        code: Any = 0
    except SystemExit as ended:
        code = ended.code
    out, err = capfd.readouterr()
    return int(code or 0), out, err


def assert_clear(code: int, err: str, *, codes: set[int], what: str) -> None:
    assert "Traceback" not in err, f"{what}: {err[-3000:]}"
    assert code in codes, f"{what}: exit {code}: {err[-1000:]}"
    lines = [line for line in err.splitlines() if line.startswith("voirie: ")]
    boxed = "Usage: " in err or "line " in err  # what Typer says itself; faults of a file, line by line
    assert len(lines) == 1 or (boxed and len(lines) < 2), f"{what}: {err[-1000:]}"
    for line in err.splitlines():
        assert line.isprintable(), f"{what}: {line!r}"
        assert len(line) < 2000, f"{what}: {line[:3000]}"
    assert "\x1b" not in err


def commands() -> Iterator[tuple[str, Any]]:
    """Each command by name."""

    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*path, name))
        if not hasattr(command, "commands"):
            yield " ".join(path), command

    yield from walk(get_command(main.app), ())


def name_of(parameter: Any) -> str:
    """What a parameter is called on the command line."""
    name: str = parameter.opts[0] if parameter.param_type_name == "option" else parameter.name.upper()
    return name


def parameters() -> Iterator[tuple[str, str]]:
    for path, command in commands():
        for parameter in command.params:
            takes_path = "Path" in str(parameter.type_descriptor.annotation)
            if takes_path or parameter.name == "file":
                yield path, name_of(parameter)


WRITTEN_OR_FOLDER = {"--out", "--plot", "--csv", "--output", "--ledger", "--truth", "--folder", "FOLDER", "--pid-file"}
SAME_READER = {
    ("demo", "--streets"), ("demo", "--scenario"), ("evaluate rounds", "--streets"),
    ("advise delivery-areas", "--streets"), ("report kerb", "--streets"),
    ("report fill", "--streets"), ("report fill", "--places"),
}  # fmt: skip
"""Read by the same code as another command's option that is tried, after minutes of something else."""


def test_every_file_that_a_command_reads_is_tried():
    told = {
        (command, name)
        for command, name in parameters()
        if name not in {*WRITTEN_OR_FOLDER, "--config"} and (command, name) not in SAME_READER
    }
    tried = {tuple(name.rsplit(" ", 1)) for name in READ} - {("migrate", "--config"), ("restore", "FILE")}
    assert told == tried


@pytest.mark.parametrize("name", sorted(READ))
def test_no_file_breaks_a_command(
    name: str,
    files: dict[str, Path],
    place: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    known = {"COUNTS": CORPUS / "counts" / "usual.csv", "LEVELS": CORPUS / "levels" / "usual.csv", "OUT": place}
    turn = sorted(READ).index(name)
    # Commands share readers: each tries half of the files, and its neighbour the other half; a long search tries all.
    for nasty in NASTY if LONG else NASTY[turn % 2 :: 2]:
        if nasty == "empty" and name in EMPTY_IS_FINE:
            continue
        given = known | {"FILE": files[nasty], "OUT/report.html": place / "report.html"}
        arguments = [str(given.get(word, word)) for word in READ[name]]
        code, _, err = run(arguments, capfd, monkeypatch)
        assert_clear(code, err, codes={2}, what=f"{name} with {nasty}")
