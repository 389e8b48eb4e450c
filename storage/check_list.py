"""What officers should check now: bays and spaces where a check is justified, or will be on arrival.

The database says where somebody stands; the places themselves and their rules are in memory. All are rated by a few
numbers, and what is listed is judged whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from storage import checks, stay_laws
from storage.database import Connection, statement, together
from storage.ground import box_around, distance_m
from storage.kerb.standing import Known, Standing, stand
from storage.kerb.worth import Rater, Suspicion, Worth, WorthOptions, foresee, trust
from storage.kerb_memory import KerbMemory, KnownPlace, ask_version, kerb_memory
from storage.kerb_now import WHOLE_WORLD, ask_unmade, last_words, told_unmade
from storage.model import SENSOR_SILENT_AFTER, PlaceKind, TakenCheck

SENSED = (PlaceKind.DELIVERY_BAY, PlaceKind.PARKING_SPACE)


type _Box = tuple[float, float, float, float]


class _Row(NamedTuple):
    place_id: str
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


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckList:
    """The places that are worth most, and how many there are in all."""

    total: int
    checks: list[ToCheck]


def to_check(
    connection: Connection,
    commune_insee: str,
    *,
    now: datetime,
    zone: ZoneInfo,
    position: From | None = None,
    kinds: Collection[PlaceKind] = SENSED,
    ahead_s: float = 0.0,
    most: int | None = None,
    options: WorthOptions | None = None,
) -> CheckList:
    """Return what to check at `now`, what is worth most first, at most `most` places.

    With a `position` each place is judged as it will be when the officer gets there; `ahead_s`: it may also be got to
    so much later than by the straight way, and is listed if a check is justified by then.
    """
    options = options or WorthOptions()
    box = WHOLE_WORLD if position is None else box_around(position.point, position.within_m)
    with connection.cursor(binary=True) as cursor:
        with together(connection):
            version, due = ask_version(connection, commune_insee), ask_unmade(connection, commune_insee)
            cursor.execute(statement("checks", "occupied"), _silence(commune_insee))
            doubted = checks.ask_doubted(connection, commune_insee, now=now)
            stays = stay_laws.ask(connection, commune_insee)
        rows = list(map(_Row._make, cursor))
    memory = kerb_memory(connection, commune_insee, zone=zone, asked=version)
    rows = _rows(connection, commune_insee, memory, box=box, rows=rows, unmade=told_unmade(due))
    if not rows:
        return CheckList(total=0, checks=[])
    laws = stay_laws.told(stays)
    asked = _Asked(
        now=now,
        day=now.astimezone(zone).date(),
        kinds=frozenset(kind.value for kind in kinds),
        position=position,
        options=options,
    )
    trusts = {device_id: trust(right=right, wrong=wrong) for device_id, right, wrong in doubted}
    unlooked = trust(right=0, wrong=0)
    found: list[tuple[float, str, _Found]] = []
    for place, row, rater, walk_m in _suspected(rows, memory, asked):
        assert row.since is not None
        believed = trusts.get(row.device_id or 0, unlooked)
        right = believed * (options.unjudged_certainty if row.certainty is None else row.certainty)
        law, walk_s = laws[PlaceKind(place.kind)], walk_m / options.walking_m_s
        worth_min = rater.worth_min(row.since, walk_s=walk_s, right=right, law=law)
        if worth_min is None and ahead_s:
            walk_s += ahead_s
            worth_min = rater.worth_min(row.since, walk_s=walk_s, right=right, law=law)
        if worth_min is not None:
            one = _Found(
                place,
                row,
                Suspicion(since=row.since, timetable=rater.timetable, right=right, law=law),
                believed,
                walk_m,
                walk_s,
            )
            found.append((-worth_min, place.place_id, one))
    found.sort(key=itemgetter(0, 1))
    listed = (_listed(one, now=now, options=options) for _, _, one in found[:most])
    return CheckList(total=len(found), checks=[one for one in listed if one is not None])


class _Found(NamedTuple):
    place: KnownPlace
    row: _Row
    suspicion: Suspicion
    trust: float
    walk_m: float
    arrives_in_s: float


def _silence(commune_insee: str) -> dict[str, Any]:
    return {"commune_insee": commune_insee, "silent_after_s": SENSOR_SILENT_AFTER.total_seconds()}


def _rows(
    connection: Connection, commune_insee: str, memory: KerbMemory, *, box: _Box, rows: list[_Row], unmade: set[str]
) -> list[_Row]:
    """Return the rows within the box, those of places without sessions yet by their readings themselves."""
    rows = [row for row in rows if _within(memory.places.get(row.place_id), box)]
    newer = {place_id for place_id in unmade if _within(memory.places.get(place_id), box)}
    if not newer:
        return rows
    parameters = _silence(commune_insee) | {"place_ids": sorted(newer)}
    words = last_words(connection, commune_insee, sorted(newer))
    told = map(_Row._make, connection.execute(statement("checks", "at_places"), parameters))
    return [row for row in rows if row.place_id not in newer] + [
        row._replace(measured_at=said[1], occupied=said[2], since=said[3], silent_after_s=said[4] or row.silent_after_s)
        for row in told
        if (said := words.get(row.place_id))
    ]


def _within(place: KnownPlace | None, box: _Box) -> bool:
    west, south, east, north = box
    return place is not None and west <= place.longitude_deg <= east and south <= place.latitude_deg <= north


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    now: datetime
    day: date
    kinds: frozenset[str]
    position: From | None
    options: WorthOptions


def _suspected(
    rows: Iterable[_Row], memory: KerbMemory, asked: _Asked
) -> Iterator[tuple[KnownPlace, _Row, Rater, float]]:
    """Yield (place, row, rater, walk_m) where somebody may be over a limit by the arrival and was not closed."""
    now, position, options = asked.now, asked.position, asked.options
    raters: dict[tuple[str | None, str | None], Rater] = {}
    for row in rows:
        place = memory.places[row.place_id]
        if not row.occupied or row.since is None or row.measured_at is None or row.since > now:
            continue
        if (row.closed_at is not None and row.since <= row.closed_at) or place.kind not in asked.kinds:
            continue
        if (now - row.measured_at).total_seconds() > row.silent_after_s or not place.lives(asked.day):
            continue
        rater = raters.get((place.rule_set_id, place.part_of))
        if rater is None:
            timetable = memory.timetables.of_rules(place.rule_set_id, place.part_of)
            rater = raters[place.rule_set_id, place.part_of] = Rater(timetable, now, options)
        straight_m = 0.0
        if position is not None:
            straight_m = distance_m(position.point, (place.longitude_deg, place.latitude_deg))
            if straight_m > position.within_m:
                continue
        yield place, row, rater, straight_m * options.detour_factor


def _listed(one: _Found, *, now: datetime, options: WorthOptions) -> ToCheck | None:
    place, row = one.place, one.row
    worth = foresee(one.suspicion, now=now, walk_s=one.arrives_in_s, options=options)
    if worth is None:
        return None
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
    known = Known(occupied=True, since=one.suspicion.since)
    return ToCheck(
        place_id=place.place_id,
        kind=PlaceKind(place.kind),
        longitude_deg=place.longitude_deg,
        latitude_deg=place.latitude_deg,
        street=place.street,
        name=place.name,
        part_of=place.part_of,
        suspicion=one.suspicion,
        standing=stand(known, timetable=one.suspicion.timetable, now=now),
        certainty=row.certainty,
        trust=one.trust,
        walk_m=one.walk_m,
        walk_s=one.walk_m / options.walking_m_s,
        worth=worth,
        held=held,
    )
