"""Patrols for the web server: along the extract's streets once they are prepared for feet, great circles until then."""

from __future__ import annotations

import threading
from importlib.resources import as_file, files

import structlog

from config.settings import StreetsSettings
from optimise.patrol.planner import PatrolPlanner
from optimise.rounds.travel import Travel, TravelOptions, open_travel
from storage.errors import VoirieError
from storage.kerb.patrol import Patrol, PatrolTask
from storage.kerb.worth import WorthOptions

log = structlog.get_logger()

_PROFILE_M_S = 5 / 3.6
"""How fast OSRM's profile for feet walks; where it is faster or slower (stairs, ferries) officers are in proportion."""


class StreetPatrols:
    """Plans patrols. Streets are prepared for feet (OSRM's own profile) at the first call, in a thread of its own.

    Preparing takes some seconds for a town, once for each extract; the walks of a patrol say which they are.
    """

    def __init__(self, streets: StreetsSettings, *, worth: WorthOptions) -> None:
        self._streets = streets
        self._straight = _options(streets, worth, on_streets=False)
        self._planner = PatrolPlanner(travel=open_travel(self._straight))
        self._walking = worth
        self._lock = threading.Lock()
        self._preparing: threading.Thread | None = None

    def __call__(self, task: PatrolTask) -> Patrol:
        """Return a good patrol within about a second."""
        with self._lock:
            if self._streets.extract is not None and self._preparing is None:
                self._preparing = threading.Thread(target=self._prepare, name="voirie-foot-streets", daemon=True)
                self._preparing.start()
        return self._planner(task)

    def prepared(self, timeout_s: float | None = None) -> bool:
        """Wait until the preparation that a call began is over; return whether it is."""
        if self._preparing is not None:
            self._preparing.join(timeout_s)
        return self._preparing is not None and not self._preparing.is_alive()

    def _prepare(self) -> None:
        try:
            travel: Travel = open_travel(_options(self._streets, self._walking, on_streets=True))
        except (VoirieError, OSError) as error:
            log.warning("foot_streets_failed", error=str(error))
            return
        pace = _PROFILE_M_S / self._walking.walking_m_s
        self._planner = PatrolPlanner(travel=travel, on_streets=True, pace=pace)
        log.info("foot_streets_ready", source=travel.source)


def _options(streets: StreetsSettings, walking: WorthOptions, *, on_streets: bool) -> TravelOptions:
    with as_file(files("osrm") / "share" / "profiles" / "foot.lua") as profile:
        return TravelOptions(
            extract=streets.extract if on_streets else None,
            profile=profile,
            cache_dir=streets.cache_folder,
            kerb_side=False,
            detour_factor=walking.detour_factor,
            speed_kmh=walking.walking_m_s * 3.6,
        )
