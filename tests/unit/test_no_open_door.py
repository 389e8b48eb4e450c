"""No file that is shipped lets anybody onto a broker without a name, but the embedded one on the loopback."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.tools import REPOSITORY

SHIPPED = sorted(
    name
    for name in subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    if name and not name.startswith("tests/")
)
OPEN = re.compile(r"allow_anonymous\W+true|allow_anonymous *= *true|no_match *= *allow", re.IGNORECASE)
LISTENER = re.compile(r"""^[^#\n]*?\blistener +(\S+)(?: +([^\s"',\\]+))?""", re.MULTILINE)
# An address that the embedded broker or a listener of the tools is given.
EMBEDDED = re.compile(r"""listen(?: *= *|=)["']([^"']+)["']""")


def text_of(name: str) -> str:
    try:
        return (REPOSITORY / name).read_text(encoding="utf-8")
    except (UnicodeDecodeError, IsADirectoryError):
        return ""


def test_some_file_opens_a_listener():
    # Otherwise what follows would hold of nothing.
    assert any(LISTENER.search(text_of(name)) for name in SHIPPED)
    assert any(EMBEDDED.search(text_of(name)) for name in SHIPPED)


def test_every_broker_asks_for_a_name():
    assert [name for name in SHIPPED if OPEN.search(text_of(name))] == []


@pytest.mark.parametrize("name", [name for name in SHIPPED if EMBEDDED.search(text_of(name))])
def test_the_embedded_broker_listens_to_this_machine_alone(name: str):
    assert all(address.startswith("127.0.0.1:") for address in EMBEDDED.findall(text_of(name))), name


def test_the_shipped_broker_asks_everybody_and_speaks_tls_alone():
    configuration = text_of("config/mosquitto.conf")
    assert re.search(r"^allow_anonymous false$", configuration, re.MULTILINE)
    head, *listeners = re.split(r"^listener ", configuration, flags=re.MULTILINE)
    assert "password_file" in head
    assert "acl_file" in head
    assert len(listeners) == 2
    for listener in listeners:
        assert "certfile " in listener
        assert "keyfile " in listener
