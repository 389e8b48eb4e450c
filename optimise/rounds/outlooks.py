"""What the latest forecast run says of each bin at the time of service and at the next chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from optimise.rounds.policy import Outlook
from storage import forecasts
from storage.database import Connection
from storage.errors import InputError
from storage.model import Bin, FillForecast, ForecastRun

_HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlooks:
    """The run, the two moments that its forecasts are read at, and the bins that it knows."""

    run: ForecastRun
    service_at: datetime
    next_at: datetime
    of_bin: dict[str, Outlook]


def read_outlooks(
    connection: Connection,
    commune_insee: str,
    bins: Sequence[Bin],
    *,
    as_of: datetime,
    service_at: datetime,
    next_at: datetime,
    run_id: UUID | None = None,
) -> Outlooks:
    """Read the outlook of each bin from the newest run made of data up to `as_of`.

    With `run_id` from that one, as long as its hours are kept. A run that does not reach the next chance is read at
    its last hour instead. Raises InputError when there is no run, or when it says nothing of the time of service.
    """
    run = forecasts.latest_run(connection, commune_insee, at=as_of)
    if run is None:
        raise InputError(f"commune {commune_insee} has no fill forecast made of data up to {as_of:%Y-%m-%d %H:%M} UTC")
    asked = None if run_id is None else forecasts.run(connection, commune_insee, run_id)
    # A day planned while it is under way is served from the first forecast hour on.
    service_at = max(service_at, (asked or run).as_of + timedelta(hours=1))
    now = _at(connection, asked or run, service_at)
    if asked is not None and now:
        run = asked
    elif asked is not None:
        # The hours of replaced runs are let go.
        service_at = max(service_at, run.as_of + timedelta(hours=1))
        now = _at(connection, run, service_at)
    if not now:
        raise InputError(
            f"the newest fill forecast of commune {commune_insee}, as of {run.as_of:%Y-%m-%d %H:%M} UTC, "
            f"does not reach the time of service, {service_at:%Y-%m-%d %H:%M} UTC"
        )
    then = _at(connection, run, next_at)
    if not then:
        later = forecasts.of_run(
            connection, commune_insee, run.run_id, since=service_at - _HALF_HOUR, until=next_at + _HALF_HOUR
        )
        last = max(forecast.valid_at for forecast in later)
        then = {forecast.place_id: forecast for forecast in later if forecast.valid_at == last}
    return Outlooks(
        run=run,
        service_at=min(forecast.valid_at for forecast in now.values()),
        next_at=min(forecast.valid_at for forecast in then.values()),
        of_bin={
            item.place_id: Outlook(
                place_id=item.place_id,
                volume_l=item.volume_l,
                at_service=now[item.place_id],
                at_next=then[item.place_id],
            )
            for item in bins
            if item.place_id in now and item.place_id in then
        },
    )


def _at(connection: Connection, run: ForecastRun, moment: datetime) -> dict[str, FillForecast]:
    """Return each bin's forecast for the hour nearest to `moment`."""
    found = forecasts.of_run(
        connection, run.commune_insee, run.run_id, since=moment - _HALF_HOUR, until=moment + _HALF_HOUR
    )
    return {forecast.place_id: forecast for forecast in found}
