"""Mosquitto on this machine, for commands that bring a broker of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

_SHIPPED = Path(__file__).resolve().parents[1] / "config" / "mosquitto.conf"
# The lines of the shipped configuration that set limits; the others name files, users and the listener.
_LIMITS = ("max_", "persistent_client_expiration ")


def mosquitto_program() -> str | None:
    """Return the path of Mosquitto, None when it is not installed; Debian puts it where only root's PATH looks."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


def shipped_limits() -> list[str]:
    """Return the lines of the shipped configuration that set limits."""
    return [line for line in _SHIPPED.read_text(encoding="utf-8").splitlines() if line.startswith(_LIMITS)]
