"""The work on the kerb behind the worker's jobs and commands: sessions, free places foretold, the observatory."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, datetime

import structlog

from cli.job_basis import logged_progress, present
from config.settings import Settings
from optimise.agenda import AgendaOptions, bays_are_due, score_due_for, training_is_due
from storage import bay_forecasts, bay_models, bay_scores, observatory, stay_laws
from storage.database import Connection
from storage.model import BayForecastRun, Commune, TrainedModel

log = structlog.get_logger()

_WORTH_TELLING = 1000
"""So many places at once are the first sessions of a history, which takes minutes."""


class KerbJobs:
    """Sessions, forecasts and figures of the bays and spaces of any commune."""

    def __init__(self, *, settings: Settings, agenda: AgendaOptions) -> None:
        self._settings = settings
        self._agenda = agenda

    def bays_due(self, connection: Connection, commune: Commune) -> tuple[datetime | None, bool, bool]:
        """Return the commune's now, whether a model of its bays is to be trained, and they to be forecast."""
        now = present(connection, commune.commune_insee)
        if now is None:
            return None, False, False
        run = bay_forecasts.latest_run(connection, commune.commune_insee)
        training = training_is_due(
            now=now,
            time_zone=commune.time_zone,
            latest_as_of=bay_models.latest_as_of(connection, commune.commune_insee, at=now),
            options=self._agenda,
        )
        due = bays_are_due(
            now=now,
            latest_as_of=None if run is None else run.as_of,
            every_min=self._settings.forecast.bays_every_min,
        )
        return now, training, due

    def train_bays(
        self,
        connection: Connection,
        commune_insee: str,
        *,
        as_of: datetime,
        progress: Callable[[str, float], None] | None = None,
    ) -> TrainedModel:
        """Learn how bays fill from the data until `as_of`; in the registry when the call returns."""
        from cli.wiring import bay_training_options
        from optimise.occupancy.forecast.registry import train_bays

        self.sessions(connection, commune_insee)
        with connection.transaction():
            return train_bays(
                connection,
                commune_insee,
                as_of=as_of,
                options=bay_training_options(self._settings),
                progress=progress or logged_progress(commune_insee),
            )

    def forecast_bays(self, connection: Connection, commune_insee: str, *, as_of: datetime) -> BayForecastRun | None:
        """Forecast free places from the data until `as_of`; stored when the call returns. None: nothing to forecast."""
        from optimise.occupancy.forecast.job import forecast_bays

        with connection.transaction():
            run = forecast_bays(connection, commune_insee, as_of=as_of)
        if run is not None:
            log.debug("bays_forecast", commune=commune_insee, as_of=run.as_of, places=run.places, sensed=run.sensed)
        return run

    def bay_score_due(self, connection: Connection, commune: Commune) -> date | None:
        """Return the local day that is over and whose forecasts of bays are to be judged, None when there is none."""
        now = present(connection, commune.commune_insee)
        if now is None or bay_forecasts.latest_run(connection, commune.commune_insee) is None:
            return None
        latest = bay_scores.latest_day(connection, commune.commune_insee)
        return score_due_for(now=now, time_zone=commune.time_zone, latest_day=latest)

    def score_bays(self, connection: Connection, commune_insee: str, *, day: date) -> None:
        """Judge a day's forecasts of bays by what their sensors then said; stored when the call returns."""
        from optimise.occupancy.forecast.watch import watch_bay_day

        with connection.transaction():
            watch_bay_day(connection, commune_insee, day=day)

    def sessions(self, connection: Connection, commune_insee: str) -> None:
        """Make sessions anew where readings changed, and learn daily how long vehicles stay; stored when it returns."""
        from optimise.occupancy.job import make_sessions

        make_sessions(
            connection,
            commune_insee,
            progress=lambda done, of: log.log(
                logging.INFO if of > _WORTH_TELLING else logging.DEBUG,
                "sessions_progress",
                commune=commune_insee,
                places=done,
                of=of,
            ),
        )
        now = present(connection, commune_insee)
        if now is not None:
            with connection.transaction():
                stay_laws.refresh(connection, commune_insee, now=now)

    def observe(self, connection: Connection, commune: Commune) -> None:
        """Bring the observatory's figures up to the commune's now, unless they are; stored when the call returns."""
        from optimise.occupancy.observe import observation_is_due, observe

        now = present(connection, commune.commune_insee)
        if now is None:
            return
        state = observatory.state(connection, commune.commune_insee)
        if observation_is_due(now=now, time_zone=commune.time_zone, state=state):
            observe(connection, commune.commune_insee, now=now)
