"""Mosquitto on this machine, for commands that bring a broker of their own."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

from storage.broker_secrets import new_secret, password_line, prove

_SHIPPED = Path(__file__).resolve().parents[1] / "config" / "mosquitto.conf"
_SOLE_USER = "voirie"
# The lines of the shipped configuration that set limits; the others name files, users and the listener.
_LIMITS = ("max_", "persistent_client_expiration ")


def mosquitto_program() -> str | None:
    """Return the path of Mosquitto, None when it is not installed; Debian puts it where only root's PATH looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def sole_user(folder: Path) -> tuple[str, list[str]]:
    """Let one user onto a Mosquitto of a command's own, whoever else is on this machine.

    Writes the password file into `folder`; returns `user:password` as it stands in a URL, and the lines of settings.
    """
    secret = new_secret()
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    passwords.write_text(password_line(_SOLE_USER, **asdict(prove(secret))) + "\n", encoding="utf-8")
    return f"{_SOLE_USER}:{secret}", ["allow_anonymous false", f"password_file {passwords}"]


def shipped_limits() -> list[str]:
    """Return the lines of the shipped configuration that set limits."""
    return [line for line in _SHIPPED.read_text(encoding="utf-8").splitlines() if line.startswith(_LIMITS)]
