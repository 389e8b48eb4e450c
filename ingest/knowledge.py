"""What a collector has to know of the installation: its devices, where they are mounted, and what time it is there."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import structlog

from storage import communes, devices
from storage.database import Connection
from storage.model import Clock, RegisteredDevice

log = structlog.get_logger()

# Reading the whole registry costs time in proportion to its size: at most this share of our time goes into it.
_MOST_TIME_SHARE = 0.05
_LEAST_INTERVAL_S = 1.0
_LONGEST_INTERVAL_S = 60.0
_CLOCK_INTERVAL_S = 3.0


class Knowledge:
    """The registry and the communes' clocks, read when needed and not too often.

    `versions` are those of the communes' registries that `registry` shows.
    """

    def __init__(self, commune_codes: Iterable[str]) -> None:
        self._commune_codes = tuple(dict.fromkeys(commune_codes))
        self.registry: dict[tuple[str, str], RegisteredDevice] = {}
        self.versions: dict[str, int] = {}
        self._clocks: dict[str, Clock] = {}
        self._read_at_s: float | None = None
        self._clocks_read_at_s: float | None = None
        self._took_s = 0.0
        self._warned_of: set[str] = set()

    def now(self, commune_insee: str) -> datetime:
        """Return the commune's present; the wall clock's as long as nothing else is known."""
        clock = self._clocks.get(commune_insee)
        return clock.now() if clock else datetime.now(UTC)

    def keep_fresh(self, connection: Connection) -> None:
        """Hold the registry until the transaction ends, and read what changed in it; now and then the clocks, and all.

        What is judged by it before the commit is judged by the registry as it is: who changes it waits for us.
        """
        versions = devices.hold_registry(connection, self._commune_codes)
        self._warn_of_unknown(versions)
        if self._read_at_s is not None and versions != self.versions:
            known = {commune_insee: self.versions.get(commune_insee, -1) for commune_insee in versions}
            changed = devices.registry_since(connection, known)
            self.registry |= changed
            log.debug("registry_followed", devices=len(changed))
        if self._read_at_s is None or time.monotonic() - self._read_at_s > _LONGEST_INTERVAL_S:
            self._read(connection)
        elif self._clocks_read_at_s is None or time.monotonic() - self._clocks_read_at_s > _CLOCK_INTERVAL_S:
            self._read_clocks(connection)
        self.versions = versions

    def _warn_of_unknown(self, versions: Mapping[str, int]) -> None:
        """Say once of each commune that nobody entered it: all its messages will be refused."""
        for commune_insee in self._commune_codes:
            if commune_insee not in versions and commune_insee not in self._warned_of:
                self._warned_of.add(commune_insee)
                log.warning("commune_unknown", commune_insee=commune_insee, remedy="voirie communes add INSEE NAME")

    def refresh(self, connection: Connection) -> bool:
        """Read everything again, because a message was not understood; False when that was done a moment ago."""
        interval_s = max(_LEAST_INTERVAL_S, self._took_s / _MOST_TIME_SHARE)
        if self._read_at_s is not None and time.monotonic() - self._read_at_s < interval_s:
            return False
        self._read(connection)
        return True

    def _read(self, connection: Connection) -> None:
        began_s = time.monotonic()
        self.registry = devices.registry(connection)
        self._read_clocks(connection)
        self._read_at_s = time.monotonic()
        self._took_s = self._read_at_s - began_s
        log.debug("registry_read", devices=len(self.registry), seconds=round(self._took_s, 3))

    def _read_clocks(self, connection: Connection) -> None:
        self._clocks = {code: communes.clock(connection, code) for code in self._commune_codes}
        self._clocks_read_at_s = time.monotonic()
