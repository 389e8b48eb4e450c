"""The index of a commune's names, read from its extract when somebody first searches, and kept in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from api.gazetteer.index import Index
from api.gazetteer.names import Box, Names, read_names

log = structlog.get_logger()

_STREETS_KEPT_S = 600.0


class Gazetteers:
    """Indexes by commune; an extract is read at most once an extent. Safe to share between threads."""

    def __init__(self, extract: Path | None, *, commune_insee: str) -> None:
        self._extract = extract
        self._commune_insee = commune_insee
        self._lock = threading.Lock()
        self._of_extract: tuple[Box | None, Index] | None = None
        self._of_streets: dict[str, tuple[float, Index]] = {}

    def index(self, commune_insee: str, *, box: Callable[[], Box | None], streets: Callable[[], Names]) -> Index:
        """Return the commune's index: names of the extract within `box()`, else the `streets()` that its bays name."""
        if self._extract is not None and commune_insee == self._commune_insee:
            return self._from_extract(self._extract, box())
        with self._lock:
            made_at, index = self._of_streets.get(commune_insee, (0.0, None))
        if index is None or time.monotonic() - made_at > _STREETS_KEPT_S:
            index = Index(streets())
            with self._lock:
                self._of_streets[commune_insee] = (time.monotonic(), index)
        return index

    def _from_extract(self, extract: Path, box: Box | None) -> Index:
        with self._lock:
            if self._of_extract is None or self._of_extract[0] != box:
                self._of_extract = (box, Index(read_names(extract, box)))
                log.info("names_read", extract=extract.name, names=len(self._of_extract[1]))
            return self._of_extract[1]
