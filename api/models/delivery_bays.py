"""Delivery bays: the rule, what stands there, and what the rule says of it."""

from __future__ import annotations

from datetime import datetime, time
from zoneinfo import ZoneInfo

from pydantic import Field

from api.models.common import Located, Model, Moment
from storage.bay_rules import assess
from storage.model import BayNow, BayState


class BayRule(Model):
    """The by-law of the bay: days and hours are local."""

    max_stay_s: int = Field(description="Longest stay allowed, seconds", examples=[1800])
    grace_s: int = Field(description="Tolerance before a stay counts as an overstay, seconds", examples=[300])
    enforced_days: list[int] = Field(description="ISO weekdays, 1 Monday to 7 Sunday", examples=[[1, 2, 3, 4, 5, 6]])
    enforced_from: time = Field(description="Local time", examples=["07:00:00"])
    enforced_until: time = Field(
        description="Local time; not after `enforced_from`: the next day", examples=["20:00:00"]
    )


class BayModel(Located):
    """A delivery bay now. An overstay is a hint to go and look, not a proof."""

    length_cm: int = Field(description="Centimetres")
    rule: BayRule
    state: BayState = Field(description="By the rule in force now; `unknown` (silent sensor) is never free")
    occupied: bool | None = Field(description="What the sensor says; null when it is silent or faulty")
    heard_at: Moment | None = Field(description="When the sensor last said anything, UTC")
    occupied_since: Moment | None = Field(description="Arrival, UTC; null unless occupied")
    counted_since: Moment | None = Field(
        description="When the limit began to count: the arrival, or the start of the rule's hours if later"
    )
    rule_until: Moment | None = Field(description="When the rule's hours end; null when it is not in force")
    remaining_s: int | None = Field(
        description="Time left until the limit, seconds; 0 during grace; null: no limit runs"
    )
    overstay_s: int | None = Field(description="Time beyond the limit, seconds; only for `over_limit`")

    @classmethod
    def of(cls, bay: BayNow, *, zone: ZoneInfo, now: datetime) -> BayModel:
        """Return `bay` at `now` as the API says it."""
        judged = assess(bay, zone=zone, now=now)
        return cls(
            place_id=bay.place_id,
            longitude_deg=bay.longitude_deg,
            latitude_deg=bay.latitude_deg,
            street=bay.street,
            length_cm=bay.length_cm,
            rule=BayRule(
                max_stay_s=bay.max_stay_s,
                grace_s=bay.grace_s,
                enforced_days=list(bay.enforced_days),
                enforced_from=bay.enforced_from,
                enforced_until=bay.enforced_until,
            ),
            state=judged.state,
            occupied=judged.occupied,
            heard_at=bay.heard_at,
            occupied_since=judged.occupied_since,
            counted_since=judged.counted_since,
            rule_until=judged.window.ends_at if judged.window else None,
            remaining_s=None if judged.remaining_s is None else int(judged.remaining_s),
            overstay_s=None if judged.overstay_s is None else int(judged.overstay_s),
        )


class BaysModel(Model):
    """The delivery bays that were asked for. `counts` is over all of the commune's, whatever the filter."""

    now: Moment = Field(description="The commune's present, UTC")
    counts: dict[BayState, int] = Field(description="Number of bays by state")
    delivery_bays: list[BayModel] = Field(description="Overstays first, longest first; then by id")
