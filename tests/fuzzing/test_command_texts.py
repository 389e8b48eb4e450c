"""Whatever text an option or argument of a command is given, it ends with an exit code and a clear line, or harmless.

Every text parameter of every command is tried: a new one is found by itself. No text has a NUL here, since no system
hands one to a program; bytes that are no UTF-8 arrive as lone surrogates, and are here.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.rows import INSEE
from tests.fuzzing import test_commands
from tests.fuzzing.test_commands import CORPUS, LONG, PLAN, assert_clear, commands, name_of, run

place, town_url = test_commands.place, test_commands.town_url

HOSTILE = (
    "\x1b[2J\x1b]0;evil\x07",
    "a\nlevel=critical event=evil\r\n",
    "\u202e\u2066evil\u2069",
    "x" * 10_000,
    "\udcff\udc80",
    "'; DROP TABLE bin; --%s{0}%(x)s",
    "../../../etc/passwd",
    "",
    " ",
    "\uff19\uff13\uff10\uff15\uff11",  # digits, but not those of a code
    "1" * 5000,
)
GOES_ON = {"api", "collect", "demo", "simulate", "worker", "faults", "bench ingest", "evaluate rounds"}
"""Serves, or works for minutes, where its text happens to be right; what they are told is settings' (test_settings)."""
OTHERS = {
    "ACCOUNT": "nobody", "CODE": "t9", "COMMUNE_INSEE": "75056", "EUI": "0011223344556677", "EVENT_ID": "1",
    "NAME": "somebody", "PLACE": "COR-0001", "PLAN": PLAN, "PLAN_ID": PLAN, "PREFIX": "voirie_00000000",
    "SESSION_ID": PLAN, "USERS": "nobody", "WHAT": "fill", "WHO": "nobody", "--commune": INSEE, "--role": "driver",
}  # fmt: skip
"""What the other parameters of a command are given, where it needs them."""
FILES = {
    "evaluate fill": CORPUS / "levels" / "usual.csv",
    "report fill": CORPUS / "levels" / "usual.csv",
    "evaluate occupancy": CORPUS / "counts" / "usual.csv",
}


def texts() -> Iterator[tuple[str, Any, Any]]:
    """Each command by name, and each of its parameters that takes text."""
    for path, command in commands():
        for parameter in command.params:
            kind = str(parameter.type_descriptor.annotation)
            if "str" in kind or "enum" in kind or "UUID" in kind:
                yield path, command, parameter


TRIED = [
    (f"{command} {name_of(one)}", command, whole, one) for command, whole, one in texts() if command not in GOES_ON
]


def arguments_of(command: str, whole: Any, tried: Any, text: str, folder: Path) -> list[str]:
    """The command line with `text` for one parameter, and what it needs besides."""
    given: list[str] = []
    positional: list[str] = []
    for parameter in whole.params:
        name = name_of(parameter)
        if parameter is tried:
            value = text
        elif parameter.required or name in {"FILE", "DATA", "PLAN_ID"}:
            value = OTHERS.get(name, str(FILES.get(command, folder / "none.csv")))
        elif name == "--data":
            value = str(FILES[command])
        elif name == "--out":
            value = str(folder / "out")
        else:
            continue
        if parameter.param_type_name == "option":
            given.append(f"{name}={value}")
        else:
            positional.append(value)
    return [*command.split(), *given, "--", *positional]


@pytest.mark.parametrize(("name", "command", "whole", "tried"), TRIED, ids=[name for name, *_ in TRIED])
def test_no_text_breaks_a_command(  # noqa: PLR0917 - the fixtures of one case
    name: str,
    command: str,
    whole: Any,
    tried: Any,
    place: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # nobody answers what is asked
    turn = [each for each, *_ in TRIED].index(name)
    # Commands share readers: neighbours try each a third; a long search tries all.
    for text in HOSTILE if LONG else HOSTILE[turn % 3 :: 3]:
        code, out, err = run(arguments_of(command, whole, tried, text, place), capfd, monkeypatch)
        what = f"{name} with {text[:40]!r}"
        if code:
            assert_clear(code, err, codes={1, 2}, what=what)
        assert "Traceback" not in err, what
        assert not {"\x1b", "\x07"} & set(out + err), what


def test_every_command_that_takes_text_is_tried():
    assert len(TRIED) > 90
    assert {command for command, *_ in texts()} - {command for _, command, *_ in TRIED} == GOES_ON & {
        command for command, *_ in texts()
    }
