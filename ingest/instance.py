"""A number for each collector that runs beside others, so that each has a session of its own and finds it again.

A broker keeps messages for sessions by name. Collectors that are started as copies of one another (`docker compose up
--scale collector=3`) have no name that outlives them, so each claims the lowest number that is free: the same names are
in use after every restart, and no session is left behind with messages that nobody fetches.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self

import psycopg
import structlog

from storage import instances
from storage.database import Connection, connect
from storage.errors import UnavailableError

log = structlog.get_logger()

_EVERY_S = 5.0


class Instance:
    """Holds a number among the collectors of one `name`, on a connection of its own.

    A lost connection is made anew and the same number claimed again. When another collector has taken it meanwhile,
    `on_lost` is called: two with one number would throw each other out at the broker.
    """

    def __init__(self, database_url: str, *, name: str, on_lost: Callable[[], None], every_s: float = _EVERY_S) -> None:
        self._url = database_url
        self._name = name
        self._on_lost = on_lost
        self._every_s = every_s
        self._application = "voirie instance"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="instance", daemon=True)
        self._connection: Connection | None = None
        self._pid = 0
        self.number = 0

    def __enter__(self) -> Self:
        """Claim a number. Raises UnavailableError when the database does not answer, or has none left."""
        connection = self._connect()
        number = instances.claim_lowest(connection, self._name)
        if number is None:
            connection.close()
            raise UnavailableError(f"all {instances.MOST_INSTANCES} numbers of {self._name!r} are taken")
        self._connection, self._pid, self.number = connection, connection.info.backend_pid, number
        log.info("instance_claimed", name=self._name, number=number)
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._connection is not None:
            self._connection.close()

    def _connect(self) -> Connection:
        return connect(self._url, application=self._application, autocommit=True)

    def _keep(self) -> None:
        """Notice a lost connection and claim the number again, until the block ends or another one has it."""
        while not self._ended.wait(self._every_s):
            try:
                if self._connection is None:
                    if not self._claim_again():
                        log.error("instance_lost", name=self._name, number=self.number)
                        self._on_lost()
                        return
                else:
                    instances.require_answer(self._connection)
            except (psycopg.Error, UnavailableError) as error:
                log.warning("instance_unconfirmed", number=self.number, error=str(error).splitlines()[0])
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None

    def _claim_again(self) -> bool:
        connection = self._connect()
        try:
            # The server may still wait for the connection that is gone; it holds the number as long.
            instances.end_session(connection, pid=self._pid, application=self._application)
            if not instances.claim(connection, self._name, self.number):
                connection.close()
                return False
        except BaseException:
            connection.close()
            raise
        self._connection, self._pid = connection, connection.info.backend_pid
        log.info("instance_claimed", name=self._name, number=self.number)
        return True
