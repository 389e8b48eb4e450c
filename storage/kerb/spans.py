"""Hours as they are written down, before they become rules: which days, from when until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import time

from storage.model.kerb import EVERY_DAY, MIDNIGHT, HolidayUse, Rule, RuleUse

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """Hours on some days. `blocks`: nothing of what was said before holds on these days (of this season)."""

    days: tuple[int, ...] = EVERY_DAY
    starts: time = MIDNIGHT
    ends: time = MIDNIGHT
    holidays: HolidayUse = HolidayUse.AS_USUAL
    season_from: str | None = None
    season_until: str | None = None
    rank: int = 0
    blocks: bool = False


def rules_of(spans: Iterable[Span], template: Rule) -> tuple[Rule, ...]:
    """Return a rule like `template` for each span; what blocks comes as an unrestricted rule of the same priority."""
    made = []
    for span in spans:
        rule = replace(
            template,
            days=span.days,
            starts=span.starts,
            ends=span.ends,
            holidays=span.holidays,
            season_from=span.season_from,
            season_until=span.season_until,
            priority=template.priority + span.rank,
        )
        if span.blocks:
            rule = replace(rule, use=RuleUse.UNRESTRICTED, max_stay_s=None, grace_s=0, vehicle_classes=())
        made.append(rule)
    return tuple(made)


def clock(hours: int, minutes: int, *, most: int = 26) -> time | None:
    """Return a local time, None for what no clock shows; 24:00 is midnight, 25:00 (below `most`) is of the next day."""
    total = 60 * hours + minutes
    if minutes > 59 or not 0 <= total <= most * 60:  # noqa: PLR2004 - as people read a clock
        return None
    total %= MINUTES_A_DAY
    return time(total // 60, total % 60)
