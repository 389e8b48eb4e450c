"""Streets and matrices kept in memory: whoever edits a plan asks for the same ones again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from optimise.rounds.street_lines import StreetLines, read_street_lines
from optimise.rounds.travel import Matrices, Point, Travel, TravelOptions, Way, open_travel

_NETWORKS = 8
_MATRICES = 8
"""A thousand places are 16 MB."""


class WarmStreets:
    """Opens travel as `open_travel` does, once for each set of options; measures each set of places once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: OrderedDict[TravelOptions, WarmTravel] = OrderedDict()
        self._lines: dict[tuple[Path, int], StreetLines] = {}

    def open(self, options: TravelOptions) -> Travel:
        """Return travel by `options`."""
        with self._lock:
            known = self._opened.get(options)
            if known is not None:
                self._opened.move_to_end(options)
                return known
        opened = WarmTravel(_travel=open_travel(options))
        with self._lock:
            self._opened[options] = opened
            while len(self._opened) > _NETWORKS:
                self._opened.popitem(last=False)
        return opened

    def lines(self, extract: Path) -> StreetLines:
        """Return the streets of an extract as lines."""
        key = (extract, extract.stat().st_mtime_ns if extract.is_file() else 0)
        found = self._lines.get(key)
        if found is None:
            found = read_street_lines(extract)
            self._lines = {key: found}
        return found


@dataclass(kw_only=True, slots=True)
class WarmTravel:
    """Travel that remembers the last matrices."""

    _travel: Travel
    _measured: OrderedDict[tuple[tuple[Point, ...], tuple[bool, ...]], Matrices] = field(default_factory=OrderedDict)

    @property
    def source(self) -> str:
        """Where the numbers come from."""
        return self._travel.source

    def matrices(self, points: Sequence[Point], *, kerb: Sequence[bool]) -> Matrices:
        """Return travel between all points."""
        key = (tuple(points), tuple(kerb))
        found = self._measured.get(key)
        if found is None:
            found = self._measured[key] = self._travel.matrices(points, kerb=kerb)
            while len(self._measured) > _MATRICES:
                self._measured.popitem(last=False)
        return found

    def way(self, points: Sequence[Point], *, kerb: Sequence[bool]) -> Way:
        """Return the way through `points`."""
        return self._travel.way(points, kerb=kerb)


type Lines = Callable[[Path], StreetLines]
