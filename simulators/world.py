"""The simulated commune: what is where, what is true, and what the crews wrote down. Same seed, same commune."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from simulators.bays import place_bays
from simulators.bins import place_bins
from simulators.character import characters
from simulators.fill_process import FillProcess
from simulators.fill_truth import FillTruth
from simulators.fixed_rounds import draw_calendar, drive
from simulators.fleet import SimulatedDevice, mount_devices
from simulators.kerbs import find_kerbs
from simulators.occupancy_truth import OccupancyTruth
from simulators.randomness import Stream, stream
from simulators.scenario import Scenario, Who
from simulators.scenario_day import ScenarioDay, Spell
from simulators.spaces import place_spaces
from simulators.streets import StreetMap
from simulators.town_ends import place_ends
from simulators.visits import Attempts, delivery_attempts, parking_attempts
from storage.errors import InputError
from storage.model import Bin, DeliveryBay, DisposalSite, ParkingSpace, Place, ServiceEvent

_NATIVE_SHARE = 0.1


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class World:
    """A commune and its truth.

    `fill`, `bays_truth` and `spaces_truth` answer for any moment from `start` on, also beyond `history_until`: later
    weeks are generated when asked for, the same in every process. `declarations` are the emptyings of the history that
    crews declared, by time. `spells` befall sensors of bays and spaces, as a scenario has it.
    """

    commune_insee: str
    time_zone: str
    seed: int
    streets: StreetMap
    start: datetime
    history_until: datetime
    bins: tuple[Bin, ...]
    delivery_bays: tuple[DeliveryBay, ...]
    parking_spaces: tuple[ParkingSpace, ...]
    depot: Place
    disposal_site: DisposalSite
    devices: tuple[SimulatedDevice, ...]
    declarations: tuple[ServiceEvent, ...]
    fill: FillTruth
    bays_truth: OccupancyTruth
    spaces_truth: OccupancyTruth
    spells: tuple[Spell, ...] = ()

    def bin_index(self, place_id: str) -> int:
        """Return the index of a bin; KeyError when there is none of that id."""
        for index, item in enumerate(self.bins):
            if item.place_id == place_id:
                return index
        raise KeyError(place_id)

    def fill_fraction(self, bin_index: int, at: datetime) -> float:
        """Return how full a bin truly is at `at`."""
        return float(self.fill.fractions(np.array([bin_index]), np.array([_seconds(at)]))[0])

    def fill_fractions(self, at: datetime) -> NDArray[np.float64]:
        """Return how full every bin truly is at `at`, shape (bins,)."""
        return self.fill.fractions(np.arange(len(self.bins)), np.full(len(self.bins), _seconds(at)))

    def fill_if_not_emptied(self, as_of: datetime, at: datetime) -> NDArray[np.float64]:
        """Return how full every bin would be at `at`, shape (bins,), had nobody emptied it after `as_of`."""
        moments = np.full(len(self.bins), _seconds(at))
        return self.fill.fractions(np.arange(len(self.bins)), moments, known_until_s=_seconds(as_of))

    def empty(self, bin_index: int, at: datetime) -> float:
        """Empty a bin at `at` and return how full it was. Twice at the same second counts once."""
        return float(self.fill.empty(np.array([bin_index]), np.array([_seconds(at)]))[0])

    def bays_occupied(self, at: datetime) -> NDArray[np.bool_]:
        """Return whether each delivery bay is truly occupied at `at`, shape (bays,)."""
        return self.bays_truth.occupied(*_everywhere(self.bays_truth, at))

    def spaces_occupied(self, at: datetime) -> NDArray[np.bool_]:
        """Return whether each parking space is truly occupied at `at`, shape (spaces,)."""
        return self.spaces_truth.occupied(*_everywhere(self.spaces_truth, at))


def build_world(
    streets: StreetMap,
    *,
    seed: int,
    start: datetime,
    days: int,
    bins: int = 1000,
    sensor_share: float = 0.3,
    bays: int = 60,
    spaces: int = 400,
    commune_insee: str = "93051",
    time_zone: str = "Europe/Paris",
    native_share: float = _NATIVE_SHARE,
    scenario: Scenario | None = None,
) -> World:
    """Build the commune on `streets` and drive its old fixed rounds for `days` days from `start` (UTC, on the hour).

    On its day a `scenario` happens; InputError when it names places that are not there, or lies before `start`.
    ValueError for nonsense in the numbers, and when the streets have no room for what is asked.
    """
    _refuse_nonsense(start=start, days=days, bins=bins, sensor_share=sensor_share, native_share=native_share)
    start = start.astimezone(UTC)
    history_until = start + timedelta(days=days)
    kerbs = find_kerbs(streets)
    placed = place_bins(streets, kerbs, commune_insee=commune_insee, seed=seed, count=bins)
    placed_bays = place_bays(streets, kerbs, commune_insee=commune_insee, seed=seed, count=bays)
    placed_spaces = place_spaces(streets, kerbs, placed_bays, commune_insee=commune_insee, seed=seed, count=spaces)
    depot, disposal_site = place_ends(streets, kerbs, commune_insee=commune_insee, seed=seed)
    character = characters(placed, seed=seed)
    process = FillProcess(character, seed=seed, start=start, time_zone=time_zone)
    fill = FillTruth(process, start_s=_seconds(start))
    place_ids = [*(bay.place_id for bay in placed_bays.bays), *(space.place_id for space in placed_spaces.spaces)]
    story = _story(
        scenario,
        places=place_ids,
        start=start,
        history_until=history_until,
        time_zone=time_zone,
        seed=seed,
    )
    calendar = draw_calendar(placed.bins, placed.metres, character.daily_l / character.volume_l, seed=seed)
    declarations = drive(calendar, fill, placed.bins, seed=seed, start=start, days=days, time_zone=time_zone)
    return World(
        commune_insee=commune_insee,
        time_zone=time_zone,
        seed=seed,
        streets=streets,
        start=start,
        history_until=history_until,
        bins=placed.bins,
        delivery_bays=placed_bays.bays,
        parking_spaces=placed_spaces.spaces,
        depot=depot,
        disposal_site=disposal_site,
        devices=mount_devices(
            placed.bins,
            placed_bays.bays,
            placed_spaces.spaces,
            seed=seed,
            sensor_share=sensor_share,
            native_share=native_share,
            mounted_at=start,
        ),
        declarations=declarations,
        fill=fill,
        bays_truth=_bays_truth(
            tuple(bay.place_id for bay in placed_bays.bays),
            placed_bays.shops,
            story,
            seed=seed,
            start_s=_seconds(start),
            time_zone=time_zone,
        ),
        spaces_truth=_spaces_truth(
            placed_spaces.spaces,
            placed_spaces.shops,
            story,
            seed=seed,
            start_s=_seconds(start),
            time_zone=time_zone,
        ),
        spells=() if story is None else tuple(story.spells(place_ids)),
    )


def _story(
    scenario: Scenario | None,
    *,
    places: Sequence[str],
    start: datetime,
    history_until: datetime,
    time_zone: str,
    seed: int,
) -> ScenarioDay | None:
    if scenario is None:
        return None
    scenario.check(places)
    story = ScenarioDay(scenario, history_until=history_until, time_zone=time_zone, seed=seed)
    if story.day <= start.astimezone(ZoneInfo(time_zone)).date():
        raise InputError(f"the scenario's day, {story.day}, is not within the commune's life: it begins on {start:%F}")
    return story


def _bays_truth(
    place_ids: tuple[str, ...],
    shops: NDArray[np.float64],
    story: ScenarioDay | None,
    *,
    seed: int,
    start_s: int,
    time_zone: str,
) -> OccupancyTruth:
    popularity = _popularity(shops, stream(seed, Stream.BAY_SESSIONS, 0, 0))

    def attempts(hours: NDArray[np.int64], starts_s: NDArray[np.int64], generator: np.random.Generator) -> Attempts:
        usual = delivery_attempts(popularity, hours=hours, starts_s=starts_s, generator=generator)
        return usual if story is None else story.change(usual, place_ids, who=Who.DELIVERIES, starts_s=starts_s)

    return OccupancyTruth(
        len(shops),
        attempts,
        seed=seed,
        purpose=Stream.BAY_SESSIONS,
        start_s=start_s,
        time_zone=time_zone,
        fixed=() if story is None else story.fixed(place_ids, who=Who.DELIVERIES),
    )


def _spaces_truth(
    spaces: tuple[ParkingSpace, ...],
    shops: NDArray[np.float64],
    story: ScenarioDay | None,
    *,
    seed: int,
    start_s: int,
    time_zone: str,
) -> OccupancyTruth:
    kinds = tuple(space.space_kind for space in spaces)
    place_ids = tuple(space.place_id for space in spaces)
    popularity = _popularity(shops, stream(seed, Stream.SPACE_SESSIONS, 0, 0))

    def attempts(hours: NDArray[np.int64], starts_s: NDArray[np.int64], generator: np.random.Generator) -> Attempts:
        usual = parking_attempts(kinds, popularity, hours=hours, starts_s=starts_s, generator=generator)
        return usual if story is None else story.change(usual, place_ids, who=Who.PARKING, starts_s=starts_s)

    return OccupancyTruth(
        len(shops),
        attempts,
        seed=seed,
        purpose=Stream.SPACE_SESSIONS,
        start_s=start_s,
        time_zone=time_zone,
        fixed=() if story is None else story.fixed(place_ids, who=Who.PARKING),
    )


def _popularity(shops: NDArray[np.float64], generator: np.random.Generator) -> NDArray[np.float64]:
    """Return how sought-after each place is, (n,), 1 on average."""
    wanted = (1.0 + shops / (shops + 3.0)) * generator.lognormal(0.0, 0.2, len(shops))
    return wanted / wanted.mean() if len(wanted) else wanted


def _refuse_nonsense(*, start: datetime, days: int, bins: int, sensor_share: float, native_share: float) -> None:
    if start.tzinfo is None or start != start.replace(minute=0, second=0, microsecond=0):
        raise ValueError(f"expected an aware start on the hour, got {start.isoformat()}")
    if days < 1:
        raise ValueError(f"expected days >= 1, got {days}")
    if bins < 1:
        raise ValueError(f"expected bins >= 1, got {bins}")
    for name, share in (("sensor_share", sensor_share), ("native_share", native_share)):
        if not 0.0 <= share <= 1.0:
            raise ValueError(f"expected {name} within 0..1, got {share}")


def _seconds(at: datetime) -> int:
    return int(at.timestamp())


def _everywhere(truth: OccupancyTruth, at: datetime) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.arange(len(truth)), np.full(len(truth), _seconds(at))
