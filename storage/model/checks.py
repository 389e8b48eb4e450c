"""What officers do about places at the kerb. Nothing here says anything of a vehicle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from storage.model.kinds import PlaceKind


class CheckReason(StrEnum):
    """Why a place is worth a look: its stay is over the limit, nobody may stop there, or it is over by the arrival."""

    OVER_LIMIT = "over_limit"
    NO_STOPPING = "no_stopping"
    SOON_OVER = "soon_over"


class CheckAct(StrEnum):
    """What an officer did about a check."""

    TAKEN = "taken"
    RELEASED = "released"
    CLOSED = "closed"


class CheckCause(StrEnum):
    """How a check ended.

    GONE: nobody stands there. TOLERATED: seen, and let be. BOOKED: the officer established an offence, by means that
    are not ours. AUTHORISED: who stands there may. SENSOR_WRONG: the sensor says what is not so. OTHER: see comment.
    """

    GONE = "gone"
    TOLERATED = "tolerated"
    BOOKED = "booked"
    AUTHORISED = "authorised"
    SENSOR_WRONG = "sensor_wrong"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckEvent:
    """One tap of an officer. `event_id` is made by the client, `told_by` is a role and `happened_at` the event's time.

    `cause` is told of closings alone, and so is `comment`, which CheckCause.OTHER needs.
    """

    event_id: UUID
    place_id: str
    act: CheckAct
    told_by: str
    happened_at: datetime
    cause: CheckCause | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if (self.cause is not None) != (self.act is CheckAct.CLOSED):
            raise ValueError(f"expected a cause of what is closed, and of nothing else, got {self.cause} of {self.act}")
        if self.comment is not None and self.act is not CheckAct.CLOSED:
            raise ValueError(f"expected a comment only on what is closed, got one on {self.act}")
        if self.cause is CheckCause.OTHER and not self.comment:
            raise ValueError("expected a comment with the cause other, got none")


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldCheck:
    """A tap as it is kept: `told_at` is the server's time, `street` the place's, when it was asked for."""

    event_id: UUID
    place_id: str
    act: CheckAct
    cause: CheckCause | None
    comment: str | None
    told_by: str
    happened_at: datetime
    told_at: datetime
    street: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenCheck:
    """Who holds a check: a role, since when, and until when nobody else is sent there."""

    place_id: str
    holder_id: UUID
    taken_by: str
    taken_at: datetime
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenPlace(TakenCheck):
    """The same with where the place is."""

    kind: PlaceKind
    longitude_deg: float
    latitude_deg: float
    street: str | None
    name: str | None
