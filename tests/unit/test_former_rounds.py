"""The town's former rounds: a file read whole, and a calendar driven on the same streets by the same fleet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, time

import pytest

from optimise.rounds.day import Calendar, Fleet
from optimise.rounds.engines import Limits
from optimise.rounds.engines.ortools_engine import ORToolsEngine
from optimise.rounds.former import FormerOptions, former_rounds
from optimise.rounds.great_circle import GreatCircles
from storage.errors import InputError
from storage.former_file import FormerLine, read_former, read_sectors
from storage.model import Bin, DisposalSite, FormerRound, Place, PlaceKind, Vehicle

INSEE = "93051"


def test_a_file_is_read_with_decimal_commas_and_french_weekdays():
    content = "sector;weekday;km;hours;bins\nNord;Lundi;8,5;2;40\nSud;7;0;0;\n".encode("utf-8-sig")
    assert read_former(content, complete=True) == (
        [
            FormerLine(sector="Nord", weekday=1, km=8.5, hours=2, bins=40),
            FormerLine(sector="Sud", weekday=7, km=0, hours=0, bins=None),
        ],
        (),
    )
    assert read_former(b"sector,weekday\nNord,2\n", complete=False) == ([FormerLine(sector="Nord", weekday=2)], ())


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"sector,day\nNord,1\n", 1, "expected the columns sector, weekday, km, hours, bins"),
        (b"sector,weekday,km,hours\nNord,0,1,1\n", 2, "weekday: expected 1 (Monday) to 7"),
        (b"sector,weekday,km,hours\nNord,1,-1,1\n", 2, "km: expected a number >= 0"),
        (b"sector,weekday,km,hours\nNord,1,nan,1\n", 2, "km: expected a number >= 0"),
        (b"sector,weekday,km,hours\nNord,1,1,1\nNord,1,2,1\n", 3, "the same sector and weekday as line 2"),
        (b"sector,weekday,km,hours\nNord,1,1\n", 2, "expected 4 fields, got 3"),
        (b"sector,weekday\nNord,1\n", 2, "--compute"),
        (b"sector,weekday,km,hours,bins\nNord,1,1,1,1.5\n", 2, "bins: expected a whole number"),
        (b"sector,weekday,km,hours\n\xe9,1,1,1\n", 2, "expected UTF-8"),
        (b'sector,weekday,km,hours\n"a\nb",1,1,1\n', 3, "sector: expected a name"),
    ],
)
def test_every_fault_has_its_line(content: bytes, line: int, reason: str):
    found, (fault,) = read_former(content, complete=True)
    assert (found, fault.line) == ([], line)
    assert reason in fault.reason


def test_sectors_are_read_and_bins_named_twice_refused():
    assert read_sectors(b"place_id,sector\nCOR-1,Nord\nCOR-2,\n") == ({"COR-1": "Nord", "COR-2": None}, ())
    found, (fault,) = read_sectors(b"place_id,sector\nCOR-1,Nord\nCOR-1,Sud\n")
    assert (found, fault.line) == ({}, 3)


def place(name: str, metres: float) -> dict[str, object]:
    """On a line to the east of the depot."""
    return {"commune_insee": INSEE, "place_id": name, "longitude_deg": metres / 111_195.08, "latitude_deg": 0.0}


BINS = [
    Bin(**place(f"{sector}-{number}", start + 100 * number), street=None, bin_kind="x", volume_l=100, sector=sector)  # type: ignore[arg-type]
    for sector, start in (("Nord", 1000), ("Sud", 3000))
    for number in range(5)
]
FLEET = Fleet(
    vehicles=(
        Vehicle(
            commune_insee=INSEE, vehicle_id="BOM-1", name="Benne", capacity_l=10_000, depot_id="DEPOT-1",
            shift_from=time(6), shift_until=time(12), break_s=0, break_from=time(8), break_until=time(9),
        ),
    ),
    depots=(Place(**place("DEPOT-1", 0), kind=PlaceKind.DEPOT),),  # type: ignore[arg-type]
    disposal_sites=(DisposalSite(**place("EXUTOIRE-1", 0), street=None, unload_s=600),),  # type: ignore[arg-type]
)  # fmt: skip


def driven(calendar: dict[int, frozenset[str]], *, fleet: Fleet = FLEET) -> list[FormerRound]:
    return former_rounds(
        calendar,
        bins=BINS,
        fleet=fleet,
        days={day: Calendar(service_date=date(2026, 6, day), time_zone="Europe/Paris") for day in range(1, 8)},
        travel=GreatCircles(detour_factor=1.0, speed_kmh=36),
        engine=ORToolsEngine(),
        options=FormerOptions(limits=Limits(solve_s=None, iterations=30), fill_fraction=0.4),
    )


def test_a_calendar_is_driven_each_weekday_as_a_whole():
    both = frozenset({"Nord", "Sud"})
    found = {(one.sector, one.weekday): one for one in driven({1: both, 2: frozenset({"Nord"}), 4: both})}
    assert set(found) == {("Nord", 1), ("Sud", 1), ("Nord", 2), ("Nord", 4), ("Sud", 4)}
    # Along a line out to 3.4 km and back; 1.4 km where only the near sector is due.
    monday = found["Nord", 1].km + found["Sud", 1].km
    assert monday == pytest.approx(6.8, abs=0.03)
    assert found["Nord", 2].km == pytest.approx(2.8, abs=0.02)
    assert {one.bins for one in found.values()} == {5}
    # 40 s a bin, 10 minutes to unload, 10 m/s.
    assert found["Nord", 1].hours + found["Sud", 1].hours == pytest.approx((6800 / 10 + 400 + 600) / 3600, rel=0.02)
    assert replace(found["Sud", 1], weekday=4) == found["Sud", 4]
    assert all(one.computed and one.source == "great_circle x 1" for one in found.values())


def test_what_the_fleet_cannot_drive_is_refused_by_its_weekday():
    (vehicle,) = FLEET.vehicles
    short = replace(FLEET, vehicles=(replace(vehicle, shift_until=time(6, 15)),))
    with pytest.raises(
        InputError, match="weekday 3: the fleet cannot serve all 10 bins of its sectors within its shifts"
    ):
        driven({3: frozenset({"Nord", "Sud"})}, fleet=short)
    with pytest.raises(InputError, match="expected sectors that have bins, got 'Est'"):
        driven({1: frozenset({"Est"})})
