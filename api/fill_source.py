"""Which of a bin's three fills people should look at: the measured, the declared or the predicted one. Pure.

They stay separate fields everywhere; this only says which one is the best knowledge at a moment, or that there is none.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from storage.model import BinNow, ForecastRun, Quality

MEASUREMENT_GOES_STALE_AFTER = timedelta(hours=6)
"""Sensors report hourly; six missed reports in a row are no accident, and street bins change within hours."""


class FillSource(StrEnum):
    """Where the fill to look at comes from."""

    MEASURED = "measured"
    DECLARED = "declared"
    PREDICTED = "predicted"
    UNKNOWN = "unknown"


def best_source(item: BinNow, *, run: ForecastRun | None, now: datetime) -> FillSource:
    """Return the source to look at for `item` at `now`; `run` is the forecast run that `item`'s forecast is from.

    A fresh measurement is best, unless the bin was emptied since. A forecast assumes that nobody empties the bin, so
    one made before the last emptying says nothing any more; then the emptying itself is the last thing known.
    """
    emptied_at = item.last_emptied_at
    if (
        item.measured_at is not None
        and item.quality is Quality.OK
        and item.measured_fill_fraction is not None
        and now - item.measured_at <= MEASUREMENT_GOES_STALE_AFTER
        and (emptied_at is None or item.measured_at >= emptied_at)
    ):
        return FillSource.MEASURED
    predicted = item.forecast_p50 is not None and run is not None
    if predicted and run is not None and (emptied_at is None or run.as_of >= emptied_at):
        return FillSource.PREDICTED
    if emptied_at is not None and now - emptied_at <= MEASUREMENT_GOES_STALE_AFTER:
        return FillSource.DECLARED
    return FillSource.UNKNOWN
