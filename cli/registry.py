"""What the commands on the registry share: who tells, what is known of models, and the replay that follows a change."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import structlog

from config.settings import Settings
from storage import communes
from storage.database import Connection, connect
from storage.device_file import MOST_BYTES
from storage.errors import InputError
from storage.model import Commune
from storage.schema_version import require_schema

if TYPE_CHECKING:
    from ingest.replay import ReplayReport
    from storage.refusals import Selection
    from storage.registry_writing import Telling

log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """A connection and the commune that the commands work for."""

    settings: Settings
    connection: Connection
    commune: Commune

    @property
    def insee(self) -> str:
        """The commune's INSEE code."""
        return self.commune.commune_insee

    def moment(self, option: str, text: str | None) -> datetime | None:
        """Return the moment that an option names, local to the commune without an offset. Raises InputError."""
        from storage.local_time import parse_time

        if text is None:
            return None
        try:
            return parse_time(text, zone=ZoneInfo(self.commune.time_zone))
        except InputError as error:
            raise InputError(f"{option}: {error}") from error

    def replay(self, selection: Selection, *, dry_run: bool = False) -> ReplayReport:
        """Judge refused messages again; what was changed before must be committed."""
        from cli.wiring import replay_options
        from ingest.replay import replay

        return replay(
            self.connection,
            self.insee,
            selection,
            replay_options(self.settings),
            dry_run=dry_run,
            progress=lambda sums: log.info("replay_progress", messages=sums.messages, stored=sums.stored),
        )

    def replay_due(self) -> ReplayReport:
        """Judge again what was refused of devices that changed since."""
        from storage.refusals import Selection

        return self.replay(Selection(due=True))


@contextmanager
def desk(settings: Settings) -> Iterator[Desk]:
    """Open the database for a command on the settings' commune."""
    from cli.wiring import database_url

    with connect(database_url(settings), application="voirie devices") as connection:
        require_schema(connection)
        commune = communes.one(connection, settings.commune.insee_code)
        connection.commit()
        yield Desk(settings=settings, connection=connection, commune=commune)


def telling(*, author: str | None, comment: str | None = None) -> Telling:
    """Return who tells a change (the user of the machine unless named) and the models of this version."""
    from cli.wiring import catalogue
    from storage.registry_writing import Telling

    return Telling(catalogue=catalogue(), author=author or _user(), comment=comment)


def who() -> str:
    """Return who works at this terminal, as audits name them."""
    return _user() or "voirie"


def _user() -> str | None:
    try:
        return getpass.getuser()
    except OSError:  # a container whose user has no name
        return None


def replay_document(report: ReplayReport) -> dict[str, Any]:
    """Return the report as `voirie replay --json` prints it."""
    return {
        "messages": report.messages,
        "resolved": report.resolved,
        "stored": report.stored,
        "duplicates": report.duplicates,
        "refused": {reason.value: count for reason, count in sorted(report.refused.items())},
        "without_network": report.without_network,
    }


def content_of(file: str, *, most: int = MOST_BYTES) -> bytes:
    """Return a file's bytes (one more than `most` of a larger one), standard input's for `-`; else InputError."""
    if file == "-":
        return sys.stdin.buffer.read(most + 1)
    try:
        with open(file, "rb") as opened:  # noqa: PTH123 - a name from the command line, which may be a pipe
            return opened.read(most + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror}") from error
