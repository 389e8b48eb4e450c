"""Delivery bays: the rule, what stands there, and what the rule says of it."""

from __future__ import annotations

from pydantic import Field

from api.models.common import LocalTime, Located, Model, Moment
from storage.kerb.words import rule_in_words
from storage.kerb_now import KerbView
from storage.model import BayState, KerbNow, Rule


class BayRule(Model):
    """The by-law of the bay: days and hours are local."""

    max_stay_s: int | None = Field(description="Longest stay allowed, seconds; null: no limit", examples=[1800])
    grace_s: int = Field(description="Tolerance before a stay counts as an overstay, seconds", examples=[300])
    enforced_days: list[int] = Field(description="ISO weekdays, 1 Monday to 7 Sunday", examples=[[1, 2, 3, 4, 5, 6]])
    enforced_from: LocalTime = Field(description="Local time", examples=["07:00:00"])
    enforced_until: LocalTime = Field(
        description="Local time; not after `enforced_from`: the next day", examples=["20:00:00"]
    )
    words: str = Field(
        description="The rule in French", examples=["Livraisons, 30 min au plus, du lundi au samedi de 7 h à 20 h"]
    )

    @classmethod
    def of(cls, rule: Rule) -> BayRule:
        """Return `rule` as the API says it."""
        return cls(
            max_stay_s=rule.max_stay_s,
            grace_s=rule.grace_s,
            enforced_days=list(rule.days),
            enforced_from=rule.starts,
            enforced_until=rule.ends,
            words=rule_in_words(rule),
        )


class BayModel(Located):
    """A delivery bay now. An overstay is a hint to go and look, not a proof."""

    length_cm: int | None = Field(description="Centimetres; null when not known")
    rule: BayRule | None = Field(description="In force now, or else the next to be; null when none is known")
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
    def of(cls, bay: KerbNow, view: KerbView) -> BayModel:
        """Return `bay` as the API says it."""
        standing = view.standing(bay)
        rule = standing.rule
        if rule is None:
            timetable = view.timetables.of(bay)
            coming = timetable.next_in_force(view.now)
            rule = coming.rule if coming is not None else next(iter(timetable.rules), None)
        return cls(
            place_id=bay.place_id,
            longitude_deg=bay.longitude_deg,
            latitude_deg=bay.latitude_deg,
            street=bay.street,
            length_cm=bay.length_cm,
            rule=None if rule is None else BayRule.of(rule),
            state=standing.state,
            occupied=standing.occupied,
            heard_at=bay.heard_at,
            occupied_since=bay.since if standing.occupied else None,
            counted_since=standing.counted_since,
            rule_until=None if standing.rule is None else standing.rule_until,
            remaining_s=None if standing.remaining_s is None else int(standing.remaining_s),
            overstay_s=None if standing.overstay_s is None else int(standing.overstay_s),
        )


class BaysModel(Model):
    """The delivery bays that were asked for. `counts` is over all of the commune's, whatever the filter."""

    now: Moment = Field(description="The commune's present, UTC")
    counts: dict[BayState, int] = Field(description="Number of bays by state")
    delivery_bays: list[BayModel] = Field(description="Overstays first, longest first; then by id")
