"""From where on a place's sessions have to be made again when a report came late, or went. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from optimise.occupancy.options import SessionOptions
from optimise.occupancy.reports import Report, in_order
from optimise.occupancy.stretches import raw_stretches


def steady_before(reports: Iterable[Report], changed_us: int, options: SessionOptions) -> int | None:
    """Return the last steady moment before `changed_us`, Unix microseconds; None when these reports have none.

    There the place turned free, and stayed so for long before anything at or after `changed_us` can matter.
    Sessions that began after it, made of the reports from it on, are those made of all reports: no blink and no flutter
    reaches over a settled stretch, and no session over a free one.
    """
    ordered = in_order(one for one in reports if one.at_us < changed_us)
    found = raw_stretches(ordered)
    for index in range(len(found) - 1, -1, -1):
        stretch = found[index]
        first_us = ordered[stretch.first].at_us
        until_us = ordered[found[index + 1].first].at_us if index + 1 < len(found) else changed_us
        if not stretch.occupied and until_us - first_us >= options.settled_us:
            return first_us
    return None
