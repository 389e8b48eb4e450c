"""Keeps the broker's files as the registry has them, and tells the broker when they changed."""

from __future__ import annotations

import os
import signal
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import structlog

from cli.broker.texts import HEALTH_TOPIC, AccessFiles, ServiceUser, access_files
from storage import broker_credentials
from storage.broker_secrets import Proof, prove
from storage.database import connect
from storage.errors import InputError, SettingsError, UnavailableError
from storage.schema_version import require_schema

log = structlog.get_logger()

PASSWORDS, RIGHTS = "passwords", "acl"
# The broker reads them as a member of the folder's group; others do not.
_LONGEST_SECRET = 1000
_MODE = 0o640


@dataclass(kw_only=True, slots=True)
class Keeper:
    """Writes the files into `folder` from the database and the password files of the installation's own users.

    `filters`: the topic filters of the collectors' networks. `pid_file`: of a Mosquitto on this machine, which is sent
    SIGHUP after a change.
    """

    database_url: str
    folder: Path
    filters: Sequence[str]
    collector_password_file: Path | None = None
    simulator_password_file: Path | None = None
    pid_file: Path | None = None
    _proofs: dict[tuple[str, str], Proof] = field(default_factory=dict)

    def refresh(self) -> tuple[AccessFiles, bool]:
        """Write what the files should hold now; return it, and whether anything changed.

        Raises UnavailableError when the database does not answer, SettingsError when a password file cannot be read,
        InputError when the folder cannot be written to.
        """
        with connect(self.database_url, application="voirie broker") as connection:
            require_schema(connection)
            files = access_files(self._services(), broker_credentials.logins(connection))
        # Rights first: who is named there alone cannot come in, and who has a password alone can do nothing.
        changed = [_replace(self.folder / name, text) for name, text in self._texts(files).items()]
        if any(changed):
            self._tell_broker()
        return files, any(changed)

    def watch(self, stop: threading.Event, *, every_s: float) -> None:
        """Keep the files fresh until stopped. While the database is away they stay as they are."""
        while not stop.is_set():
            try:
                files, changed = self.refresh()
            except (UnavailableError, psycopg.OperationalError) as error:
                log.warning("broker_files_not_refreshed", error=str(error))
            else:
                if changed:
                    log.info("broker_files_written", folder=str(self.folder), users=files.users)
            stop.wait(every_s)

    def _texts(self, files: AccessFiles) -> dict[str, str]:
        return {RIGHTS: files.rights, PASSWORDS: files.passwords}

    def _services(self) -> list[ServiceUser]:
        services = []
        if self.collector_password_file is not None:
            proof = self._proof("collector", self.collector_password_file)
            services.append(ServiceUser(name="collector", proof=proof, reads=[*self.filters, HEALTH_TOPIC]))
        if self.simulator_password_file is not None:
            proof = self._proof("simulator", self.simulator_password_file)
            services.append(ServiceUser(name="simulator", proof=proof, writes=self.filters))
        return services

    def _proof(self, name: str, file: Path) -> Proof:
        """Return the proof of a password, the same one as long as it is the same password."""
        try:
            secret = file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise SettingsError(f"the password file {file} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"the password file {file} is no text: {error}") from error
        if not secret:
            raise SettingsError(f"the password file {file} is empty")
        if not secret.isprintable() or len(secret) > _LONGEST_SECRET:
            raise SettingsError(f"the password file {file} holds no password: expected one line of printable text")
        if (name, secret) not in self._proofs:
            self._proofs[name, secret] = prove(secret)
        return self._proofs[name, secret]

    def _tell_broker(self) -> None:
        if self.pid_file is None:
            return
        try:
            os.kill(int(self.pid_file.read_text(encoding="ascii")), signal.SIGHUP)
        except (OSError, ValueError) as error:
            log.warning("broker_not_told", pid_file=str(self.pid_file), error=str(error))


def _replace(file: Path, text: str) -> bool:
    """Put the text in the file's place at once, so that nobody reads half of it; False when it holds that already."""
    try:
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            return False
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    except OSError as error:
        raise InputError(f"--out: {file} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fchmod(stream.fileno(), _MODE)
            os.fsync(stream.fileno())
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return True
