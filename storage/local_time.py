"""Times as people write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from storage.errors import InputError

_FRENCH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(.*)", re.DOTALL)


def parse_time(text: str, *, zone: ZoneInfo) -> datetime:
    """Return the moment that ISO 8601 or DD/MM/YYYY [HH:MM[:SS]] names; without an offset it is local time of `zone`.

    Raises InputError for what is no time, and for a local time that clocks skip or show twice.
    """
    french = _FRENCH_DATE.fullmatch(text)
    iso = f"{french[3]}-{french[2]:0>2}-{french[1]:0>2}{french[4]}" if french else text
    try:
        moment = datetime.fromisoformat(iso.strip())
    except ValueError as error:
        raise InputError(
            f"expected a time like 2026-03-01T10:30:00+01:00, 2026-03-01 10:30 or 01/03/2026 10:30, got {text[:100]!r}"
        ) from error
    try:
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
        early, late = (moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
        if early.astimezone(zone).replace(tzinfo=None) != moment:
            raise InputError(f"{text} does not exist in {zone.key}: clocks went forward; give its offset")
    except OverflowError as error:
        raise InputError(f"expected a time of this age of the world, got {text[:100]!r}") from error
    if early != late:
        raise InputError(f"{text} is twice in {zone.key}: clocks went back; give its offset, like +02:00")
    return early
