"""What operators do at the command line, noted in the audit trail."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from config.settings import Settings
    from storage.database import Connection


def operator() -> str:
    """Return who runs this command, as the trail calls them."""
    from cli.registry import who

    return f"operator:{who()}"


def note(connection: Connection, commune_insee: str, act: str, subject: str = "", **details: Any) -> None:
    """Note in the caller's transaction that who runs this command did `act` to `subject`."""
    from storage import audit

    audit.record(connection, commune_insee, operator(), act, subject, details)


def note_import(connection: Connection, commune_insee: str, what: str, content: bytes, **counts: int) -> None:
    """Note in the caller's transaction that a file of `what` ("places") was taken in: its SHA-256, and what it did."""
    told: dict[str, Any] = {"sha256": hashlib.sha256(content).hexdigest(), **counts}
    note(connection, commune_insee, f"{what}.imported", "", **told)


def fingerprints(settings: Settings) -> dict[str, str]:
    """Return the SHA-256 of each table of the settings. The database's URL may hold a password: it is left out."""
    tables = settings.model_dump(mode="json")
    tables["database"].pop("url")
    return {
        name: hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()
        for name, options in sorted(tables.items())
    }


def note_settings(url: str, settings: Settings, *, service: str, as_api: bool = False) -> None:
    """Note which settings `service` starts with, unless the last note of it says just these. Needs the schema.

    `as_api`: as the role of the web server, which may be all that its login is.
    """
    from storage import audit
    from storage.database import connect
    from storage.isolation import CommunePool

    found = fingerprints(settings)
    with connect(url, application=f"voirie {service}") as connection:
        if as_api:
            CommunePool.act_for(connection, [audit.INSTALLATION])
        if audit.last_details(connection, "settings.in_force", service) != found:
            audit.record(connection, audit.INSTALLATION, "voirie", "settings.in_force", service, found)
        connection.commit()
