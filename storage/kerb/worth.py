"""What an officer's check of a place is worth: the chance that it is justified on arrival, against the walk. Pure.

Worth is told in **minutes of an officer's walk**: `worth_min = chance * severity_min - walk_s / 60`. A justified check
of a delivery bay is held to be worth a walk of ten minutes, and twice that once the stay is an hour over its limit.

The chance that a check is justified when the officer arrives is that of three things together: what the sensor says is
so (the stay's certainty, times the trust in the sensor: what officers found there before), the vehicle still stands
there then (`StayLaw`), and the stay is over its limit then by the rules (certain, given the two).
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from storage.kerb.standing import Known, Standing, stand
from storage.kerb.stay_law import StayLaw
from storage.kerb.timetable import Timetable
from storage.model.checks import CheckReason
from storage.model.kerb import Rule, RuleUse
from storage.model.kinds import BayState

_RIGHT_BEFORE = 3.8
_LOOKS_BEFORE = 4.0
"""Before anybody looked a sensor is held to be right 19 times in 20; that weighs as much as four looks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorthOptions:
    """What checks are worth, and how officers walk.

    `…_min`: the walk that a justified check is worth, minutes, by what the kerb is for; `twice_after_s`: beyond the
    limit for so long it is worth twice that, and no more. `unjudged_certainty`: how sure a stay is whose session is not
    made yet. Walks are great-circle distances times `detour_factor` at `walking_m_s`.
    """

    no_stopping_min: float = 15.0
    reserved_min: float = 12.0
    delivery_min: float = 10.0
    short_stay_min: float = 8.0
    parking_min: float = 6.0
    twice_after_s: float = 3600.0
    unjudged_certainty: float = 0.9
    walking_m_s: float = 1.25
    detour_factor: float = 1.3

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        for field in fields(self):
            if getattr(self, field.name) <= 0:
                raise ValueError(f"expected {field.name} > 0, got {getattr(self, field.name)}")
        if self.unjudged_certainty > 1:
            raise ValueError(f"expected unjudged_certainty <= 1, got {self.unjudged_certainty}")
        if self.detour_factor < 1:
            raise ValueError(f"expected detour_factor >= 1, got {self.detour_factor}")

    def walk_s(self, straight_m: float) -> float:
        """Return how long a walk takes, seconds, over a great-circle distance."""
        return straight_m * self.detour_factor / self.walking_m_s

    def base_min(self, rule: Rule) -> float:
        """Return what a justified check by a rule is worth, minutes."""
        match rule.use:
            case RuleUse.NO_STOPPING:
                return self.no_stopping_min
            case RuleUse.RESERVED:
                return self.reserved_min
            case RuleUse.DELIVERY:
                return self.delivery_min
            case RuleUse.SHORT_STAY:
                return self.short_stay_min
            case _:
                return self.parking_min


@dataclass(frozen=True, kw_only=True, slots=True)
class Suspicion:
    """Somebody stands somewhere `since`, and how much of that is to be believed.

    `right` is the chance that the sensor's word is so, 0 to 1; `law` says how long vehicles stay at such a place.
    """

    since: datetime
    timetable: Timetable
    right: float
    law: StayLaw


@dataclass(frozen=True, kw_only=True, slots=True)
class Worth:
    """A check as it will be at `arrival_at`. `over_since` is when (it will be that) the limit and its grace are over.

    `overstay_s` is the time beyond the limit on arrival. `stays` and `chance` are 0 to 1, `…_min` minutes of walk.
    """

    reason: CheckReason
    arrival_at: datetime
    over_since: datetime
    overstay_s: float
    stays: float
    chance: float
    severity_min: float
    worth_min: float


def trust(*, right: int, wrong: int) -> float:
    """Return how far a sensor is to be believed, 0 to 1, that officers found right and wrong so often."""
    return (right + _RIGHT_BEFORE) / (right + wrong + _LOOKS_BEFORE)


def foresee(suspicion: Suspicion, *, now: datetime, walk_s: float, options: WorthOptions) -> Worth | None:
    """Return what a check is worth for who walks `walk_s` to it from `now` on; None: nothing to check on arrival."""
    arrival_at = now + timedelta(seconds=walk_s)
    known = Known(occupied=True, since=suspicion.since)
    then = stand(known, timetable=suspicion.timetable, now=arrival_at)
    if then.state is not BayState.OVER_LIMIT or then.rule is None:
        return None
    over_since = _over_since(then)
    stays = suspicion.law.stays(age_s=(now - suspicion.since).total_seconds(), for_s=walk_s)
    overstay_s = then.overstay_s or 0.0
    severity_min = options.base_min(then.rule) * (1 + min(1.0, overstay_s / options.twice_after_s))
    chance = suspicion.right * stays
    if then.rule.use is RuleUse.NO_STOPPING:
        reason = CheckReason.NO_STOPPING if over_since <= now else CheckReason.SOON_OVER
    else:
        reason = CheckReason.OVER_LIMIT if over_since <= now else CheckReason.SOON_OVER
    return Worth(
        reason=reason,
        arrival_at=arrival_at,
        over_since=over_since,
        overstay_s=overstay_s,
        stays=stays,
        chance=chance,
        severity_min=severity_min,
        worth_min=chance * severity_min - walk_s / 60,
    )


class Rater:
    """`foresee` for thousands of places with one timetable at one moment, as numbers alone; a test holds it to that."""

    def __init__(self, timetable: Timetable, now: datetime, options: WorthOptions) -> None:
        stretch = timetable.at(now)
        rule = stretch.rule
        self.timetable = timetable
        self._now = now
        self._now_s = now.timestamp()
        self._options = options
        self._changes_in_s = (stretch.ends_at - now).total_seconds()
        self._max_stay_s: float | None = None
        if rule is not None and rule.max_stay_s is not None:
            assert stretch.counts_from is not None
            assert stretch.counts_until is not None
            self._max_stay_s, self._grace_s = rule.max_stay_s, rule.grace_s
            self._counts_from_s = stretch.counts_from.timestamp()
            self._counts_until_s = stretch.counts_until.timestamp()
            self._base_min = options.base_min(rule)

    def worth_min(self, since: datetime, *, walk_s: float, right: float, law: StayLaw) -> float | None:
        """Return what `foresee` says a check is worth, minutes of walk; None where it has nothing to check."""
        if walk_s >= self._changes_in_s:
            suspicion = Suspicion(since=since, timetable=self.timetable, right=right, law=law)
            worth = foresee(suspicion, now=self._now, walk_s=walk_s, options=self._options)
            return None if worth is None else worth.worth_min
        if self._max_stay_s is None:
            return None
        since_s = since.timestamp()
        limit_s = max(self._counts_from_s, since_s) + self._max_stay_s
        overstay_s = self._now_s + walk_s - limit_s
        if limit_s >= self._counts_until_s or overstay_s < self._grace_s:
            return None
        stays = law.stays(age_s=self._now_s - since_s, for_s=walk_s)
        return right * stays * self._base_min * (1 + min(1.0, overstay_s / self._options.twice_after_s)) - walk_s / 60


def _over_since(standing: Standing) -> datetime:
    assert standing.since is not None  # what is over its limit is so since a moment
    return standing.since
