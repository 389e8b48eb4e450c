"""What officers check, and what they tell of it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field

from api.models.common import Latitude, Located, Longitude, Model, Moment
from api.models.plans import LineString
from api.phrases import Language
from storage.check_list import ToCheck
from storage.kerb.english_words import rule_in_english
from storage.kerb.words import rule_in_words, standing_in_words
from storage.model import BayState, CheckAct, CheckCause, CheckReason, PlaceKind, TakenCheck, TakenPlace

HINT = (
    "Indication pour aller voir, et non une preuve : un capteur ne voit ni le véhicule ni son droit d'être là. "
    "L'agent constate les faits."
)

Hint = Annotated[str, Field(description="What all of this is, and is not; in French, to be shown", examples=[HINT])]
Role = Annotated[
    str,
    Field(
        min_length=1,
        max_length=40,
        description="A role or a patrol, as colleagues may read it; not a person's name",
        examples=["Patrouille 2"],
    ),
]
EventId = Annotated[UUID, Field(description="Made by the client, once for each tap; sending it again changes nothing")]
HolderId = Annotated[UUID, Field(description="Made by the client, once for a shift: whose takes are one's own")]


_IN_WORDS = {Language.FRENCH: rule_in_words, Language.ENGLISH: rule_in_english}


class PointModel(Model):
    """A position, rounded to some ten metres; it is neither stored nor logged."""

    longitude_deg: Longitude
    latitude_deg: Latitude


class HeldModel(Model):
    """Who is on the way to a place."""

    by: str = Field(description="The role that took it")
    since: Moment
    expires_at: Moment = Field(description="Until when nobody else is sent there, unless it ends before")
    mine: bool = Field(description="Whether that is who asks, by `holder_id`")

    @classmethod
    def of(cls, held: TakenCheck, *, holder_id: UUID | None) -> HeldModel:
        """Return who holds a check, as `holder_id` may know it."""
        return cls(by=held.taken_by, since=held.taken_at, expires_at=held.expires_at, mine=held.holder_id == holder_id)


class CheckModel(Located):
    """One place to check, as it will be when the officer gets there."""

    kind: PlaceKind
    name: str | None
    part_of: str | None
    reason: CheckReason = Field(
        description="over_limit: now; no_stopping: nobody may stop there; soon_over: by the arrival"
    )
    state: BayState = Field(description="Now, by the rule in force")
    words: str = Field(description="The state in French", examples=["En dépassement de 12 min"])
    rule: str | None = Field(description="The rule in force now, in words, French or as `lang` says; null: none yet")
    rule_until: Moment | None = Field(description="When that changes; null: for a week or more")
    occupied_since: Moment = Field(description="Since when somebody stands there, as far as the sensor tells")
    over_since: Moment = Field(description="When limit and grace were over, or will be")
    limit_at: Moment | None = Field(description="When the limit was or will be reached; null: none is counted yet")
    overstay_s: int = Field(description="Beyond the limit on arrival, seconds")
    walk_m: int = Field(description="From the officer's position, metres; 0 without one")
    walk_s: int = Field(description="The same, seconds")
    arrival_at: Moment
    certainty: float | None = Field(description="How sure the stay is, 0 to 1; null: not judged yet")
    sensor_trust: float = Field(description="How far the sensor is to be believed, by what officers found, 0 to 1")
    chance: float = Field(description="That the check is justified on arrival, 0 to 1")
    severity_min: float = Field(description="The walk that a justified check is worth, minutes")
    worth_min: float = Field(description="chance * severity_min - walk, minutes of walk; below 0: not worth the walk")
    held: HeldModel | None = Field(description="Who is on the way there already; null: nobody")

    @classmethod
    def of(
        cls, one: ToCheck, *, now: datetime, zone: ZoneInfo, holder_id: UUID | None, language: Language
    ) -> CheckModel:
        """Return a check as the API says it."""
        standing, worth = one.standing, one.worth
        return cls(
            place_id=one.place_id,
            longitude_deg=one.longitude_deg,
            latitude_deg=one.latitude_deg,
            street=one.street,
            kind=one.kind,
            name=one.name,
            part_of=one.part_of,
            reason=worth.reason,
            state=standing.state,
            words=standing_in_words(standing, now=now, zone=zone),
            rule=None if standing.rule is None else _IN_WORDS[language](standing.rule),
            rule_until=standing.rule_until,
            occupied_since=one.suspicion.since,
            over_since=worth.over_since,
            limit_at=standing.limit_at,
            overstay_s=int(worth.overstay_s),
            walk_m=round(one.walk_m),
            walk_s=round(one.walk_s),
            arrival_at=worth.arrival_at,
            certainty=None if one.certainty is None else round(one.certainty, 3),
            sensor_trust=round(one.trust, 3),
            chance=round(worth.chance, 3),
            severity_min=round(worth.severity_min, 2),
            worth_min=round(worth.worth_min, 2),
            held=None if one.held is None else HeldModel.of(one.held, holder_id=holder_id),
        )


class ChecksModel(Model):
    """What to check now, what is worth most first."""

    now: Moment = Field(description="The commune's present, UTC")
    hint: Hint = HINT
    position: PointModel | None = Field(description="Where walks begin; null: none was given, and no walk is counted")
    total: int = Field(description="How many there are; `checks` may be fewer")
    checks: list[CheckModel]


class HeldPlaceModel(Located):
    """A place that somebody goes to."""

    kind: PlaceKind
    name: str | None
    held: HeldModel

    @classmethod
    def of(cls, one: TakenPlace, *, holder_id: UUID | None) -> HeldPlaceModel:
        """Return a place that is taken, as `holder_id` may know it."""
        return cls(
            place_id=one.place_id,
            longitude_deg=one.longitude_deg,
            latitude_deg=one.latitude_deg,
            street=one.street,
            kind=one.kind,
            name=one.name,
            held=HeldModel.of(one, holder_id=holder_id),
        )


class HeldPlacesModel(Model):
    """Where officers go now, those that were taken first before others, also with nothing left to check."""

    now: Moment = Field(description="The commune's present, UTC")
    hint: Hint = HINT
    places: list[HeldPlaceModel]


class CheckFeatureModel(Model):
    """One place to check as a GeoJSON feature."""

    type: Literal["Feature"] = "Feature"
    id: str = Field(description="The place's id")
    geometry: dict[str, Any] = Field(description="A GeoJSON point")
    properties: CheckModel


class CheckMapModel(Model):
    """What to check now as a GeoJSON FeatureCollection with members of its own."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    now: Moment = Field(description="The commune's present, UTC")
    hint: Hint = HINT
    features: list[CheckFeatureModel]

    @classmethod
    def of(cls, listed: ChecksModel) -> CheckMapModel:
        """Return the list as a map."""
        return cls(
            now=listed.now,
            features=[
                CheckFeatureModel(
                    id=one.place_id,
                    geometry={"type": "Point", "coordinates": [one.longitude_deg, one.latitude_deg]},
                    properties=one,
                )
                for one in listed.checks
            ],
        )


class CheckTakeIn(Model):
    """An officer goes there."""

    event_id: EventId
    holder_id: HolderId
    by: Role
    hold_s: int = Field(default=900, ge=60, le=7200, description="For how long nobody else is sent there, seconds")


class CheckReleaseIn(Model):
    """An officer does not go there after all."""

    event_id: EventId
    holder_id: HolderId
    by: Role


class CheckCloseIn(Model):
    """An officer was there."""

    event_id: EventId
    holder_id: HolderId | None = None
    by: Role
    cause: CheckCause
    comment: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Needed with `other`. What looks like a registration plate is refused",
    )
    happened_at: AwareDatetime | None = Field(
        default=None, description="When, with its offset from UTC, if it is told later; null: now"
    )


class CheckStandModel(Model):
    """How the check of a place stands after a tap."""

    now: Moment
    hint: Hint = HINT
    place_id: str
    changed: bool = Field(description="Whether the tap changed anything; a repeated one does not")
    held: HeldModel | None = Field(description="Who is on the way there now; null: nobody")


class ToldCheckModel(Model):
    """A tap as it is kept."""

    event_id: UUID
    place_id: str
    act: CheckAct
    cause: CheckCause | None
    comment: str | None
    by: str = Field(validation_alias="told_by")
    happened_at: Moment
    told_at: Moment = Field(description="When the server learnt it")
    street: str | None


class CheckLogModel(Model):
    """What officers told, newest first."""

    now: Moment
    hint: Hint = HINT
    since: Moment
    events: list[ToldCheckModel]


class PatrolStopModel(Located):
    """One check of a patrol, as it will be when the officer gets there."""

    kind: PlaceKind
    name: str | None
    reason: CheckReason = Field(description="As it is now: soon_over will be over by the arrival")
    rule: str | None = Field(description="The rule in force now, in French words; null: none yet")
    over_since: Moment = Field(description="When limit and grace were over, or will be")
    overstay_s: int = Field(description="Beyond the limit on arrival, seconds")
    walk_m: int = Field(description="From the stop before, metres")
    walk_s: int = Field(description="From the stop before, seconds")
    wait_s: int = Field(description="Until the limit is over there, seconds")
    arrival_at: Moment = Field(description="When the check begins")
    leave_at: Moment
    chance: float = Field(description="That the check is justified then, 0 to 1")
    severity_min: float = Field(description="The walk that a justified check is worth, minutes")


class PatrolModel(Model):
    """A proposed patrol: the most justified checks within a time, on foot."""

    now: Moment = Field(description="The commune's present, UTC: when the patrol starts")
    hint: Hint = HINT
    position: PointModel
    minutes: int = Field(description="The time there is, the way back included if there is one")
    back: bool = Field(description="Whether it ends where it starts")
    stops: list[PatrolStopModel]
    expected_checks: float = Field(description="How many of the checks will be justified, as to be expected")
    walk_m: int = Field(description="The whole way, metres")
    total_s: int = Field(description="The whole patrol, seconds")
    ends_at: Moment
    considered: int = Field(description="How many places it was chosen from")
    travel_source: str = Field(
        description="How walks were measured: `osrm:FILE` along streets, `great_circle x F` straight lines times F"
    )
    geometry: LineString | None = Field(
        description="The way along the streets, from the position; null where walks are straight lines"
    )
