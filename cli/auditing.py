"""What operators do at the command line, noted in the audit trail."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.database import Connection


def operator() -> str:
    """Return who runs this command, as the trail calls them."""
    return f"operator:{getpass.getuser()}"


def note(connection: Connection, commune_insee: str, act: str, subject: str = "", **details: Any) -> None:
    """Note in the caller's transaction that who runs this command did `act` to `subject`."""
    from storage import audit

    audit.record(connection, commune_insee, operator(), act, subject, details)
