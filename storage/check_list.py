"""What officers should check now: bays and spaces where a check is justified, or will be on arrival.

The database says where somebody stands, within a box; who stands there rightly for long enough is left out by the rules
alone (forty comparisons for twenty thousand bays), and only the rest is judged one by one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from storage import checks
from storage.database import Connection, statement
from storage.ground import box_around, distance_m
from storage.kerb.standing import Known, Standing, stand
from storage.kerb.stay_law import StayLaw
from storage.kerb.timetable import Timetable
from storage.kerb.worth import Suspicion, Worth, WorthOptions, foresee, trust
from storage.kerb_now import WHOLE_WORLD, Timetables, last_words, timetables, unmade
from storage.model import SENSOR_SILENT_AFTER, PlaceKind, TakenCheck

SENSED = (PlaceKind.DELIVERY_BAY, PlaceKind.PARKING_SPACE)


class _Row(NamedTuple):
    place_id: str
    kind: str
    longitude_deg: float
    latitude_deg: float
    street: str | None
    name: str | None
    part_of: str | None
    rule_set_id: str | None
    device_id: int | None
    measured_at: datetime | None
    occupied: bool | None
    since: datetime | None
    certainty: float | None
    silent_after_s: float
    holder_id: UUID | None
    taken_by: str | None
    taken_at: datetime | None
    expires_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class From:
    """Where an officer stands, (longitude, latitude) in degrees, and how far from there places are looked for."""

    point: tuple[float, float]
    within_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ToCheck:
    """One place to check. `walk_m` and `walk_s` are from the officer's position, 0 without one.

    `certainty` is that of the stay (None: not judged yet), `trust` how far its sensor is to be believed, 0 to 1.
    """

    place_id: str
    kind: PlaceKind
    longitude_deg: float
    latitude_deg: float
    street: str | None
    name: str | None
    part_of: str | None
    suspicion: Suspicion
    standing: Standing
    certainty: float | None
    trust: float
    walk_m: float
    walk_s: float
    worth: Worth
    held: TakenCheck | None


def to_check(
    connection: Connection,
    commune_insee: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    position: From | None = None,
    kinds: Collection[PlaceKind] = SENSED,
    ahead_s: float = 0.0,
    law: StayLaw | None = None,
    options: WorthOptions | None = None,
) -> list[ToCheck]:
    """Return what to check at `now`, what is worth most first.

    With a `position` each place is judged as it will be when the officer gets there; `ahead_s`: it may also be got to
    so much later than by the straight way, and is listed if a check is justified by then.
    """
    law, options = law or StayLaw(), options or WorthOptions()
    rows = _rows(connection, commune_insee, now=now, zone=zone, position=position, kinds=kinds)
    if not rows:
        return []
    known = timetables(connection, commune_insee, zone=zone)
    doubted = checks.doubted(connection, commune_insee, now=now)
    found = []
    for row, timetable, walk_m in _suspected(rows, known, now=now, position=position, ahead_s=ahead_s, options=options):
        assert row.since is not None
        right, wrong = doubted.get(row.device_id or 0, (0, 0))
        believed = trust(right=right, wrong=wrong)
        certainty = options.unjudged_certainty if row.certainty is None else row.certainty
        suspicion = Suspicion(since=row.since, timetable=timetable, right=certainty * believed)
        walk_s = walk_m / options.walking_m_s
        worth = foresee(suspicion, now=now, walk_s=walk_s, law=law, options=options)
        if worth is None and ahead_s:
            worth = foresee(suspicion, now=now, walk_s=walk_s + ahead_s, law=law, options=options)
        if worth is not None:
            found.append(_listed(row, suspicion, worth, believed=believed, walk_m=walk_m, walk_s=walk_s, now=now))
    return sorted(found, key=lambda one: (-one.worth.worth_min, one.place_id))


def _rows(
    connection: Connection,
    commune_insee: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    position: From | None,
    kinds: Collection[PlaceKind],
) -> list[_Row]:
    newer = unmade(connection, commune_insee)
    west, south, east, north = WHOLE_WORLD if position is None else box_around(position.point, position.within_m)
    parameters = {
        "commune_insee": commune_insee,
        "kinds": [kind.value for kind in kinds],
        "day": now.astimezone(zone).date(),
        "silent_after_s": SENSOR_SILENT_AFTER.total_seconds(),
        "unmade": sorted(newer),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
    }
    with connection.cursor(binary=True) as cursor:
        # Never prepared: a plan for any box is slower than one for this.
        rows = list(map(_Row._make, cursor.execute(statement("checks", "occupied"), parameters, prepare=False)))
    words = last_words(connection, commune_insee, [row.place_id for row in rows if row.place_id in newer])
    if not words:
        return rows
    return [
        row._replace(
            measured_at=said[1],
            occupied=said[2],
            since=said[3],
            certainty=None,
            silent_after_s=said[4] or row.silent_after_s,
        )
        if (said := words.get(row.place_id))
        else row
        for row in rows
    ]


def _suspected(
    rows: Iterable[_Row],
    known: Timetables,
    *,
    now: datetime,
    position: From | None,
    ahead_s: float,
    options: WorthOptions,
) -> Iterator[tuple[_Row, Timetable, float]]:
    """Yield (row, timetable, walk_m) of the places that may be over a limit by the arrival and were not closed."""
    sieves: dict[tuple[str | None, str | None], _Sieve] = {}
    for row in rows:
        if not row.occupied or row.since is None or row.measured_at is None:
            continue
        if (row.closed_at is not None and row.since <= row.closed_at) or row.since > now:
            continue
        if (now - row.measured_at).total_seconds() > row.silent_after_s:
            continue
        sieve = sieves.get((row.rule_set_id, row.part_of))
        if sieve is None:
            timetable = known.of_rules(row.rule_set_id, row.part_of)
            sieve = sieves[row.rule_set_id, row.part_of] = _Sieve(timetable, now)
        straight_m = 0.0
        if position is not None:
            straight_m = distance_m(position.point, (row.longitude_deg, row.latitude_deg))
            if straight_m > position.within_m:
                continue
        walk_m = straight_m * options.detour_factor
        if sieve.lets_through(row.since, timedelta(seconds=walk_m / options.walking_m_s + ahead_s)):
            yield row, sieve.timetable, walk_m


class _Sieve:
    """Which stays may be over their limit soon, by one timetable; what it lets through is judged exactly."""

    def __init__(self, timetable: Timetable, now: datetime) -> None:
        self.timetable = timetable
        stretch = timetable.at(now)
        rule = stretch.rule
        self._changes_in = stretch.ends_at - now
        self._over_if_since = None
        if rule is not None and rule.max_stay_s is not None:
            self._over_if_since = now - timedelta(seconds=rule.max_stay_s + rule.grace_s)

    def lets_through(self, since: datetime, walk: timedelta) -> bool:
        return walk >= self._changes_in or (self._over_if_since is not None and since <= self._over_if_since + walk)


def _listed(
    row: _Row, suspicion: Suspicion, worth: Worth, *, believed: float, walk_m: float, walk_s: float, now: datetime
) -> ToCheck:
    held = None
    if row.holder_id is not None and row.expires_at is not None and row.expires_at > now:
        assert row.taken_by is not None
        assert row.taken_at is not None
        held = TakenCheck(
            place_id=row.place_id,
            holder_id=row.holder_id,
            taken_by=row.taken_by,
            taken_at=row.taken_at,
            expires_at=row.expires_at,
        )
    return ToCheck(
        place_id=row.place_id,
        kind=PlaceKind(row.kind),
        longitude_deg=row.longitude_deg,
        latitude_deg=row.latitude_deg,
        street=row.street,
        name=row.name,
        part_of=row.part_of,
        suspicion=suspicion,
        standing=stand(Known(occupied=True, since=row.since), timetable=suspicion.timetable, now=now),
        certainty=row.certainty,
        trust=believed,
        walk_m=walk_m,
        walk_s=walk_s,
        worth=worth,
        held=held,
    )
