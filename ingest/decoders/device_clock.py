"""The times that devices give to what they stored: Unix seconds, UTC, from a clock that may never have been set."""

from __future__ import annotations

from datetime import UTC, datetime

from ingest.refusal import RefusedError
from storage.model import RefusalReason

# A clock that nobody set counts from 1970, 1980 (GPS) or 2000. No device that we read was sold before this moment, so
# what says it was measured earlier was measured at a time that nobody knows.
CLOCKS_RUN_SINCE = datetime(2018, 1, 1, tzinfo=UTC)


def device_time(unix_s: int) -> datetime:
    """Return the time (UTC) of a stored record; RefusedError(TOO_OLD) when the device's clock was not set.

    Such a record gets no other time in its stead: the network's is that of the message, hours or days later.
    """
    measured_at = datetime.fromtimestamp(unix_s, UTC)
    if measured_at < CLOCKS_RUN_SINCE:
        raise RefusedError(
            RefusalReason.TOO_OLD, f"the device's clock was not set: it says {measured_at.isoformat()} ({unix_s} s)"
        )
    return measured_at
