"""Readings follow their device: told late where it was, they move to that place and are judged by its geometry.

A reading of a time at which the device was on no place is displaced: kept whole, out of every view, and brought back
when a place is told after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from storage.bin_geometry import Level, LevelRules, rejudged, same_level
from storage.database import Connection, statement
from storage.device_life import Span, Timeline, mounting_at
from storage.model import Device, Geometry, Mounting, PlaceKind, Quality

_BATCH = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Followed:
    """How many readings moved to another place, were displaced, were brought back, and changed their level."""

    moved: int = 0
    displaced: int = 0
    restored: int = 0
    rejudged: int = 0

    def __add__(self, other: Followed) -> Followed:
        return Followed(
            moved=self.moved + other.moved,
            displaced=self.displaced + other.displaced,
            restored=self.restored + other.restored,
            rejudged=self.rejudged + other.rejudged,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A span in which the device was on one place as was thought, and on one as is known now."""

    device_id: int
    span: Span
    was: Mounting | None
    now: Mounting | None
    parameters: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        parameters = {"device_id": self.device_id, "since": self.span.since, "until": self.span.until}
        object.__setattr__(self, "parameters", parameters)

    def fits(self, kind: str) -> bool:
        """Whether the place is one for readings of this kind."""
        return self.now is not None and (self.now.place_kind is PlaceKind.BIN) is (kind == "fill")


def follow(
    connection: Connection, device: Device, *, before: Timeline, after: Timeline, span: Span, rules: LevelRules
) -> Followed:
    """Move the device's readings of `span` to where it was according to `after`, in the caller's transaction.

    The caller holds the registry, so that no collector stores a reading by the old one meanwhile. What is derived from
    readings is asked for again.
    """
    total = Followed()
    for piece in _pieces(device.device_id, before, after, span):
        for kind in ("fill", "occupancy"):
            done = _follow_piece(connection, piece, kind, rules)
            if done != Followed():
                _ask_for_review(connection, piece, kind)
            total += done
    return total


def _pieces(device_id: int, before: Timeline, after: Timeline, span: Span) -> Iterator[_Piece]:
    bounds = {span.since} | {
        bound
        for mounting in (*before, *after)
        for bound in (mounting.mounted_at, mounting.unmounted_at)
        if bound is not None and span.since < bound and (span.until is None or bound < span.until)
    }
    starts = sorted(bounds)
    for since, until in zip(starts, [*starts[1:], span.until], strict=True):
        was, now = mounting_at(before, since), mounting_at(after, since)
        if was is None or now is None or was.place_id != now.place_id or was.geometry != now.geometry:
            yield _Piece(device_id=device_id, span=Span(since=since, until=until), was=was, now=now)


def _follow_piece(connection: Connection, piece: _Piece, kind: str, rules: LevelRules) -> Followed:
    if not piece.fits(kind):
        geometry = None if piece.was is None else Jsonb(msgspec.to_builtins(piece.was.geometry))
        displaced = connection.execute(
            statement("reading_places", f"displace_{kind}"), piece.parameters | {"geometry": geometry}
        ).rowcount
        return Followed(displaced=displaced)
    assert piece.now is not None  # it fits
    judged = 0
    if kind == "fill":
        judged = _judge_again(connection, piece, rules)
        _judge_displaced(connection, piece, rules)
    where = piece.parameters | {"place_id": piece.now.place_id}
    moved = connection.execute(statement("reading_places", f"move_{kind}"), where).rowcount
    restored = connection.execute(statement("reading_places", f"restore_{kind}"), where).rowcount
    return Followed(moved=moved, restored=restored, rejudged=judged)


def _judge_again(connection: Connection, piece: _Piece, rules: LevelRules) -> int:
    """Give the piece's stored levels the new geometry; return how many changed."""
    was = Geometry() if piece.was is None else piece.was.geometry
    rows = (
        (measured_at, index, quality, fraction, distance_mm, tilted, was)
        for measured_at, index, quality, fraction, distance_mm, tilted in _stream(connection, "judged_fill", piece)
    )
    return _write_levels(connection, "judge_fill", piece, rows, rules)


def _judge_displaced(connection: Connection, piece: _Piece, rules: LevelRules) -> None:
    """Do the same to displaced readings, each of which remembers by which geometry it was judged."""
    rows = (
        (*row, Geometry() if geometry is None else msgspec.convert(geometry, Geometry))
        for *row, geometry in _stream(connection, "judged_displaced", piece)
    )
    _write_levels(connection, "judge_displaced", piece, rows, rules)


def _stream(connection: Connection, query: str, piece: _Piece) -> Iterator[tuple[Any, ...]]:
    """Yield rows a batch at a time: years of readings never stand in memory at once."""
    with connection.cursor(name=query) as cursor:
        cursor.itersize = _BATCH
        yield from cursor.execute(statement("reading_places", query).removesuffix(";"), piece.parameters)


def _write_levels(
    connection: Connection, query: str, piece: _Piece, rows: Iterable[tuple[Any, ...]], rules: LevelRules
) -> int:
    changed: list[dict[str, Any]] = []
    total = 0
    assert piece.now is not None  # what has no place is not judged
    now = piece.now.geometry
    for measured_at, record_index, quality, fill_fraction, distance_mm, tilted, was in rows:
        stored = Level(quality=Quality(quality), fill_fraction=fill_fraction)
        level = rejudged(stored, distance_mm, tilted=tilted, was=was, now=now, rules=rules)
        if not same_level(level, stored):
            changed.append(_key(piece, measured_at, record_index) | asdict(level))
        if len(changed) >= _BATCH:
            total += _write(connection, query, changed)
            changed.clear()
    return total + _write(connection, query, changed)


def _key(piece: _Piece, measured_at: datetime, record_index: int) -> dict[str, Any]:
    return {"device_id": piece.device_id, "measured_at": measured_at, "record_index": record_index}


def _write(connection: Connection, query: str, rows: list[dict[str, Any]]) -> int:
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(statement("reading_places", query), rows)
    return len(rows)


def _ask_for_review(connection: Connection, piece: _Piece, kind: str) -> None:
    """Withdraw what was found in the readings as they were, and have both places looked at again."""
    if kind == "fill":
        connection.execute(statement("reading_places", "forget_review"), piece.parameters)
    mountings = [mounting for mounting in (piece.was, piece.now) if mounting is not None]
    place_ids = sorted({mounting.place_id for mounting in mountings})
    if place_ids:
        due = {
            "commune_insee": mountings[0].commune_insee,
            "kind": kind,
            "device_ids": [piece.device_id] * len(place_ids),
            "place_ids": place_ids,
            "changed_since": [piece.span.since] * len(place_ids),
            "length": len(place_ids),
        }
        connection.execute(statement("reading_places", "ask_for_review"), due)
