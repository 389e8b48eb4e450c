"""The kerb: places with their rules, what the rules say of who stands there now, and the stays that were."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from api.models.common import LocalTime, Located, Model, Moment
from storage.kerb.standing import Standing
from storage.kerb.timetable import Stretch
from storage.kerb.words import rule_in_words, standing_in_words
from storage.kerb_now import KerbView
from storage.model import (
    BayState,
    EndedBy,
    HolidayUse,
    KerbNow,
    KerbPlace,
    OccupancySession,
    PlaceKind,
    Rule,
    RuleUse,
    VehicleClass,
)


class RuleModel(Model):
    """One rule of a by-law; hours are local."""

    use: RuleUse = Field(description="What the kerb is for while the rule is in force")
    days: list[int] = Field(description="ISO weekdays, 1 Monday to 7 Sunday", examples=[[1, 2, 3, 4, 5, 6]])
    starts: LocalTime = Field(description="Local time", examples=["07:00:00"])
    ends: LocalTime = Field(description="Local time; not after `starts`: the next day; equal: a whole day")
    holidays: HolidayUse = Field(description="What it says of public holidays")
    season_from: str | None = Field(description="First day of the year, MM-DD; null: all year")
    season_until: str | None = Field(description="Last day of the year, MM-DD")
    valid_from: date | None = Field(description="First day of its life, local")
    valid_until: date | None = Field(description="Last day of its life, local")
    max_stay_s: int | None = Field(description="Longest stay allowed, seconds; null: no limit", examples=[1800])
    grace_s: int = Field(description="Tolerance before a stay counts as an overstay, seconds", examples=[300])
    priority: int = Field(description="Of rules in force at once the highest holds")
    vehicle_classes: list[VehicleClass] = Field(description="Whom it admits; empty: all. No sensor sees them")
    max_mass_t: float | None = Field(description="Heaviest vehicle admitted, tonnes")
    by_law: str | None = Field(description="The by-law's reference or address")
    words: str = Field(
        description="The rule in French",
        examples=["Livraisons, 30 min au plus, du lundi au samedi de 7 h à 20 h, sauf jours fériés"],
    )

    @classmethod
    def of(cls, rule: Rule) -> RuleModel:
        """Return `rule` as the API says it."""
        return cls(
            use=rule.use,
            days=list(rule.days),
            starts=rule.starts,
            ends=rule.ends,
            holidays=rule.holidays,
            season_from=rule.season_from,
            season_until=rule.season_until,
            valid_from=rule.valid_from,
            valid_until=rule.valid_until,
            max_stay_s=rule.max_stay_s,
            grace_s=rule.grace_s,
            priority=rule.priority,
            vehicle_classes=list(rule.vehicle_classes),
            max_mass_t=rule.max_mass_t,
            by_law=rule.by_law,
            words=rule_in_words(rule),
        )


class PlaceModel(Located):
    """A bay, delivery area, parking space, zone or street face, with its own rules and its life."""

    kind: PlaceKind
    name: str | None
    part_of: str | None = Field(description="The place whose rules hold where its own say nothing")
    geometry: dict[str, Any] | None = Field(description="GeoJSON LineString or Polygon; null: a point")
    capacity: int | None = Field(description="Number of vehicles, when known")
    length_cm: int | None = Field(description="Centimetres; delivery bays alone")
    space_kind: str | None = Field(description="standard, pmr or short_stay; parking spaces alone")
    valid_from: date | None = Field(description="First day of its life, local; null: unbounded")
    valid_until: date | None = Field(description="Last day of its life, local; null: unbounded")
    rules: list[RuleModel]
    source: str | None = Field(description="The form of the table that it came from")
    source_id: str | None = Field(description="Its identifier there, when it has another")
    attributes: dict[str, Any] | None = Field(description="What its table says besides")

    @classmethod
    def of(cls, place: KerbPlace) -> PlaceModel:
        """Return `place` as the API says it."""
        return cls(
            place_id=place.place_id,
            longitude_deg=place.longitude_deg,
            latitude_deg=place.latitude_deg,
            street=place.street,
            kind=place.kind,
            name=place.name,
            part_of=place.part_of,
            geometry=place.geometry,
            capacity=place.capacity,
            length_cm=place.length_cm,
            space_kind=place.space_kind,
            valid_from=place.valid_from,
            valid_until=place.valid_until,
            rules=[RuleModel.of(rule) for rule in place.rules],
            source=place.source,
            source_id=place.source_id,
            attributes=place.attributes,
        )


class PlacesModel(Model):
    """A page of places by id."""

    places: list[PlaceModel]
    next: str | None = Field(description="Give it as `after` for the next page; null: this is the last")


class LineModel(Model):
    """Something about a line of a file."""

    line: int
    column: str | None
    reason: str


class PlacesImportedModel(Model):
    """What became of a file; places that are not in it stay."""

    imported: int = Field(description="New places")
    updated: int
    unchanged: int
    skipped: int = Field(description="Lines of other communes")
    warnings: list[LineModel] = Field(description="What was taken with a doubt")
    errors: list[LineModel] = Field(description="Empty: with faults the answer is a problem, and nothing is written")
    dry_run: bool


class RuleNowModel(Model):
    """The rule that holds at places now, or else the next to hold."""

    words: str | None = Field(description="In French; null: no rule is known")
    in_force: bool
    until: Moment | None = Field(
        description="When it ends to hold, or begins if not in force; null: for a week or more"
    )
    max_stay_s: int | None
    use: RuleUse | None


class KerbStateModel(Model):
    """A place now, as small as a map needs it: what is null is left out."""

    place_id: str
    kind: Literal["delivery_bay", "parking_space"]
    longitude_deg: float
    latitude_deg: float
    state: BayState = Field(description="By the rule in force now; `unknown` is never free")
    since: Moment | None = Field(
        default=None,
        description="Since when the state holds; of `unknown`, when the sensor last told a state; null: nobody knows",
    )
    occupied: bool | None = Field(default=None, description="What the sensor says; null: unknown")
    limit_at: Moment | None = Field(
        default=None, description="When the limit is (or was) reached; null: none is counted"
    )
    remaining_s: int | None = Field(
        default=None, description="Until the limit, seconds; 0 during grace; null: none is counted"
    )
    overstay_s: int | None = Field(default=None, description="Beyond the limit, seconds; only for `over_limit`")
    certainty: float | None = Field(
        default=None, description="How sure the stay is, 0 to 1; null: free, or not judged yet"
    )
    part_of: str | None = None
    rule: str | None = Field(default=None, description="Key in `rules`")


class KerbModel(Model):
    """The kerb now. `counts` is over all places in the bounds, whatever `state` filters."""

    now: Moment = Field(description="The commune's present, UTC")
    counts: dict[BayState, int]
    rules: dict[str, RuleNowModel] = Field(description="What holds now, once for all places where it does")
    places: list[KerbStateModel]


class KerbRowsModel(Model):
    """The kerb now, places as rows of values."""

    now: Moment = Field(description="The commune's present, UTC")
    counts: dict[BayState, int]
    rules: dict[str, RuleNowModel]
    columns: list[str] = Field(description="What the values of a row are: the fields of a place, in this order")
    places: list[list[str | float | bool | None]] = Field(
        description="A row may be shorter than `columns`: what is missing at its end is null"
    )


class SensorModel(Model):
    """What is known of a place's sensor."""

    mounted: bool
    heard_at: Moment | None = Field(description="When it last said anything")
    measured_at: Moment | None = Field(description="When it last told a state")
    silent_after_s: int = Field(description="How long it may say nothing, by its own habit, seconds")


class KerbPlaceModel(Model):
    """One place now, with everything that people ask about it."""

    now: Moment
    place: PlaceModel
    state: BayState
    words: str = Field(description="The state in French", examples=["En dépassement de 12 min"])
    since: Moment | None
    occupied: bool | None
    limit_at: Moment | None
    remaining_s: int | None
    overstay_s: int | None
    certainty: float | None
    rule: RuleModel | None = Field(description="In force now, of the place itself or of what it is part of")
    rule_until: Moment | None = Field(description="When that changes; null: for a week or more")
    next_rule: RuleModel | None = Field(description="The next rule in force when none is")
    next_rule_at: Moment | None
    sensor: SensorModel
    parts: dict[BayState, int] = Field(description="States of the places that are part of it; empty for a single bay")

    @classmethod
    def of(
        cls,
        *,
        place: KerbPlace,
        row: KerbNow,
        standing: Standing,
        coming: Stretch | None,
        view: KerbView,
        zone: ZoneInfo,
        parts: dict[BayState, int],
    ) -> KerbPlaceModel:
        """Return a place as the API says it."""
        next_rule = None if coming is None or standing.rule is not None else coming.rule
        return cls(
            now=view.now,
            place=PlaceModel.of(place),
            state=standing.state,
            words=standing_in_words(standing, now=view.now, zone=zone),
            since=standing.since,
            occupied=standing.occupied,
            limit_at=standing.limit_at,
            remaining_s=_whole(standing.remaining_s),
            overstay_s=_whole(standing.overstay_s),
            certainty=row.certainty,
            rule=None if standing.rule is None else RuleModel.of(standing.rule),
            rule_until=standing.rule_until,
            next_rule=None if next_rule is None else RuleModel.of(next_rule),
            next_rule_at=None if next_rule is None or coming is None else coming.starts_at,
            sensor=SensorModel(
                mounted=row.has_sensor,
                heard_at=row.heard_at,
                measured_at=row.measured_at,
                silent_after_s=int(row.silent_after_s),
            ),
            parts=parts,
        )


class SessionModel(Model):
    """One stay; no vehicle is known by it."""

    started_at: Moment = Field(description="The arrival when `start_seen`; otherwise when it was found there")
    started_after: Moment | None = Field(description="The last moment before it that is known; null: none is")
    start_seen: bool
    last_seen_at: Moment
    ended_at: Moment | None = Field(description="By when it was gone; null: still there, or nobody knows")
    ended_by: EndedBy = Field(description="freed, found_free, replaced, lost or open: see docs/kerb.md")
    dwell_s: int | None = Field(description="Null unless arrival and departure were told, seconds")
    overstay_s: int | None = Field(
        description="Beyond the limit by the rules that held, seconds; null: none was counted"
    )
    certainty: float = Field(description="0 to 1")

    @classmethod
    def of(cls, session: OccupancySession) -> SessionModel:
        """Return `session` as the API says it."""
        return cls(
            started_at=session.started_at,
            started_after=session.started_after,
            start_seen=session.start_seen,
            last_seen_at=session.last_seen_at,
            ended_at=session.ended_at,
            ended_by=session.ended_by,
            dwell_s=_whole(session.dwell_s),
            overstay_s=_whole(session.overstay_s),
            certainty=round(session.certainty, 3),
        )


class SessionsModel(Model):
    """Stays at a place, newest first."""

    now: Moment
    place_id: str
    since: datetime = Field(description="From when on, UTC")
    sessions: list[SessionModel]


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else int(seconds)
