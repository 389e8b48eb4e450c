"""From what may be checked to a patrol and back: gains for each minute of arrival, and stops as they will be then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from api.models.checks import PatrolModel, PatrolStopModel, PointModel
from api.models.plans import LineString
from storage.check_list import SENSED, ToCheck
from storage.errors import InputError
from storage.kerb.patrol import MINUTE_S, Patrol, PatrolSite, PatrolStop, PatrolTask
from storage.kerb.words import rule_in_words
from storage.kerb.worth import Worth, WorthOptions, foresee
from storage.model import PlaceKind

_MOST_SITES = 80
"""Gains are foreseen for so many of the places that are worth most."""


class PatrolAim(StrEnum):
    """What a patrol is to find most of: checks that are justified, or what they are worth (by their severity)."""

    CHECKS = "checks"
    WORTH = "worth"


@dataclass(frozen=True, kw_only=True, slots=True)
class PatrolGains:
    """What a patrol from `now` on, of at most `within_s`, gains by checks: by their worth and what it aims at."""

    now: datetime
    within_s: int
    aim: PatrolAim
    worth: WorthOptions

    def of(self, one: ToCheck) -> tuple[float, ...]:
        """Return the gain of a check by the minute of arrival."""
        gains = []
        for arrive_s in range(0, self.within_s + 1, MINUTE_S):
            worth = self.foreseen(one, arrive_s=arrive_s)
            if worth is None:
                gains.append(0.0)
            else:
                gains.append(worth.chance if self.aim is PatrolAim.CHECKS else worth.chance * worth.severity_min)
        return tuple(gains)

    def foreseen(self, one: ToCheck, *, arrive_s: int) -> Worth | None:
        """Return what a check is worth for who arrives after so many seconds, None when there is nothing to check."""
        return foresee(one.suspicion, now=self.now, walk_s=arrive_s, options=self.worth)


def sensed(kinds: Sequence[PlaceKind] | None) -> Sequence[PlaceKind]:
    """Return the kinds that are asked for, all with sensors when none is. Raises InputError of others."""
    for one in kinds or ():
        if one not in SENSED:
            raise InputError(f"kind: expected {' or '.join(SENSED)}, got {one}")
    return kinds or SENSED


def sites_of(found: Sequence[ToCheck], gains: PatrolGains, *, holder_id: UUID | None) -> tuple[PatrolSite, ...]:
    """Return the places that a patrol may go to, with their gains; not those to which a colleague goes already.

    Gains are chances that the check is justified, or by PatrolAim.WORTH minutes of walk that it is worth.
    """
    free = [one for one in found if one.held is None or one.held.holder_id == holder_id]
    return tuple(
        PatrolSite(
            place_id=one.place_id,
            point=(one.longitude_deg, one.latitude_deg),
            gains=gains.of(one),
        )
        for one in free[:_MOST_SITES]
    )


def patrol_model(patrol: Patrol, task: PatrolTask, found: Sequence[ToCheck], gains: PatrolGains) -> PatrolModel:
    """Return a patrol with its places as they will be when the officer gets there."""
    of = {one.place_id: one for one in found}
    stops = [_stop(stop, of[stop.place_id], gains) for stop in patrol.stops]
    return PatrolModel(
        now=gains.now,
        position=PointModel(longitude_deg=task.start[0], latitude_deg=task.start[1]),
        minutes=task.within_s // 60,
        back=task.back,
        stops=stops,
        expected_checks=round(sum(stop.chance for stop in stops), 2),
        walk_m=patrol.walk_m,
        total_s=patrol.total_s,
        ends_at=gains.now + timedelta(seconds=patrol.total_s),
        considered=len(task.sites),
        travel_source=patrol.travel_source,
        geometry=LineString(coordinates=list(patrol.line)) if len(patrol.line) > 1 else None,
    )


def _stop(stop: PatrolStop, one: ToCheck, gains: PatrolGains) -> PatrolStopModel:
    # Gains are of whole minutes: this is the same a few seconds later, when there may be nothing to check any more.
    worth = gains.foreseen(one, arrive_s=stop.arrive_s) or one.worth
    return PatrolStopModel(
        place_id=one.place_id,
        longitude_deg=one.longitude_deg,
        latitude_deg=one.latitude_deg,
        street=one.street,
        kind=one.kind,
        name=one.name,
        reason=worth.reason,
        rule=None if one.standing.rule is None else rule_in_words(one.standing.rule),
        over_since=worth.over_since,
        overstay_s=int(worth.overstay_s),
        walk_m=stop.walk_m,
        walk_s=stop.walk_s,
        wait_s=stop.wait_s,
        arrival_at=gains.now + timedelta(seconds=stop.arrive_s),
        leave_at=gains.now + timedelta(seconds=stop.leave_s),
        chance=round(worth.chance, 3),
        severity_min=round(worth.severity_min, 2),
    )
