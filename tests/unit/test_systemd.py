"""The systemd units: systemd accepts them, finds little that they could do, and voirie knows what they ask of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer

from cli.main import app
from config.settings import read_settings
from tests.tools import REPOSITORY, missing

FOLDER = REPOSITORY / "config" / "systemd"
RELOAD = FOLDER / "voirie-broker-reload.service"
"""It signals the broker as root, and runs nothing of ours."""
SERVICES = sorted(set(FOLDER.glob("*.service")) - {RELOAD})
MOST_EXPOSED = 20  # tenths: systemd calls under 20 "OK"
HARDENING = "# What it may not do.\n"


def analyze() -> str:
    program = shutil.which("systemd-analyze")
    if program is None:
        missing("systemd-analyze")
    return program


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units as they would be installed, with a program that is there."""
    program = tmp_path / "voirie"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    for file in FOLDER.iterdir():
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(text.replace("/srv/voirie/.venv/bin/voirie", str(program)), encoding="utf-8")
    return tmp_path


def test_systemd_accepts_every_unit(units: Path):
    files = [units / file.name.replace("@", "@1") for file in FOLDER.iterdir()]
    for file in files:
        if "@1" in file.name:
            shutil.copy(units / file.name.replace("@1", "@"), file)
    done = subprocess.run(
        [analyze(), "verify", "--man=no", *map(str, files)], capture_output=True, text=True, timeout=60, check=False
    )
    # Units of the services that they come after may be missing on this machine; of ours nothing may be said.
    told = [line for line in done.stderr.splitlines() if "voirie" in line]
    assert told == []


@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.stem)
def test_a_service_can_do_little_beyond_its_work(file: Path, units: Path):
    done = subprocess.run(
        [analyze(), "security", "--offline=true", f"--threshold={MOST_EXPOSED}", "--no-pager", str(units / file.name)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-400:] + done.stderr


def test_root_does_one_thing_and_the_broker_s_files_are_what_wakes_it():
    assert re.findall(r"^ExecStart=(.*)$", RELOAD.read_text(encoding="utf-8"), re.MULTILINE) == [
        "systemctl reload mosquitto.service"
    ]
    watched = (FOLDER / "voirie-broker-reload.path").read_text(encoding="utf-8")
    writer = (FOLDER / "voirie-broker-files.service").read_text(encoding="utf-8")
    folder = re.search(r"--out=(\S+)", writer)
    assert folder is not None
    assert f"ReadWritePaths={folder[1]}\n" in writer
    for name in ("passwords", "acl"):
        assert f"PathChanged={folder[1]}/{name}\n" in watched


def test_all_services_are_held_alike_and_limited():
    hardening = {file.read_text(encoding="utf-8").split(HARDENING)[1].split("\n\n")[0].strip() for file in SERVICES}
    assert len(hardening) == 1
    for file in SERVICES:
        text = file.read_text(encoding="utf-8")
        assert "User=voirie\n" in text
        assert re.search(r"^MemoryMax=", text, re.MULTILINE), file.name
        assert re.search(r"^TasksMax=", text, re.MULTILINE), file.name


@pytest.mark.parametrize("file", SERVICES, ids=lambda file: file.stem)
def test_commands_and_settings_are_voiries(file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    text = file.read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=/srv/voirie/\.venv/bin/voirie (\w+)", text, re.MULTILINE)
    assert command in typer.main.get_command(app).commands  # type: ignore[attr-defined] # a group, since there are several
    variables = dict(re.findall(r"(VOIRIE_\w+)=(\S+)", text))
    config = variables.pop("VOIRIE_CONFIG")
    assert config == "/etc/voirie/voirie.toml"
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("%i", "1").replace("%d", "/run/credentials"))
        assert "PASSWORD" not in name or name.endswith("_FILE"), "no secret stands in a unit"
    read = read_settings()
    assert read.log.format == "json"
    password = "database_web_password" if command == "api" else "database_password"
    assert read.database.password_file == Path(f"/run/credentials/{password}")
    assert (read.database.url == "postgresql://voirie_web@127.0.0.1/voirie") == (command == "api")
    for credential in re.findall(r"^LoadCredential=(\w+):(\S+)", text, re.MULTILINE):
        assert credential[1] == f"/etc/voirie/secrets/{credential[0]}"
