"""Files of rounds are read by their own conventions, and what cannot be read is told with its line."""

from __future__ import annotations

import numpy as np
import pytest

from optimise.rounds.formats import read_task
from optimise.rounds.formats.rounds_json import written
from optimise.rounds.parts import Traffic, Wishes
from optimise.rounds.problem import DayDisposal, DayVehicle, Prices, Problem, TravelProfile, Window
from storage.errors import InputError

CVRP = """NAME : small
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 1 1
3 0 3
4 4 0
DEMAND_SECTION
1 0
2 4
3 5
4 6
DEPOT_SECTION
1
-1
EOF
"""
TIMED = """NAME : small
TYPE : {kind}
DIMENSION : 3
VEHICLES : 2
CAPACITY : 10
SERVICE_TIME : 1.5
EDGE_WEIGHT_TYPE : EUC_2D
NODE_COORD_SECTION
1 0 0
2 1 1
3 0 3
DEMAND_SECTION
1 0
2 4
3 5
TIME_WINDOW_SECTION
1 0 100
2 10 20
3 0 50.55
{more}DEPOT_SECTION
1
-1
EOF
"""
SOLOMON = """C101

VEHICLE
NUMBER     CAPACITY
  3         200

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      40         50          0          0       1236          0
    1      45         68         10        912        967         90
    2      45         70         30        825        870         90
"""
WASTE = """280.0 // capacity
400.0 // a day
500 // stops a day
3600 // lunch
40 // speed
Stop_ID X Y Early Late Service Load Type
0 0.0 0.0 0400 1500 0 9999.00 0
1\t14096.0 -1291.0 0000 2400 1600 9999.00 2
3 100.0 200.0 0700 2400 180 12.50 1
4 300.0 200.0 0000 2400 30 4.00 1
"""


def test_cvrp_rounds_distances_to_the_nearest_whole_number():
    problem = read_task(CVRP, "small.vrp").problem
    assert problem.distance_m[0].tolist() == [0, 1, 3, 4]
    assert problem.distance_m[2, 3] == 5
    assert problem.stop_ids == ("1", "2", "3"), "customers are counted as in .sol files"
    assert problem.must.all()
    assert not problem.duration_s.any()
    # No two routes need to be half empty: 2 x 15 / 10 + 1 vehicles are enough for anybody, three customers for us.
    assert len(problem.vehicles) == 3


@pytest.mark.parametrize(
    ("kind", "divisor", "unit"),
    [("VRPTW", 10, "distance to one decimal"), ("PCVRPTW", 1, "tenths of distance")],
)
def test_timed_files_truncate_to_tenths(kind: str, divisor: int, unit: str) -> None:
    more = "PRIZE_SECTION\n1 0\n2 0\n3 7.25\n" if kind == "PCVRPTW" else ""
    task = read_task(TIMED.format(kind=kind, more=more), "small.vrp")
    problem = task.problem
    assert problem.distance_m[0].tolist() == [0, 14, 30]
    assert problem.windows[1] == (Window(from_s=0, until_s=505),)
    assert problem.service_s.tolist() == [15, 15]
    assert (task.unit.name, task.unit.divisor) == (unit, divisor)
    if kind == "PCVRPTW":
        assert problem.prize.tolist() == [0, 72]
        assert problem.must.tolist() == [True, False], "who has a prize may be left"


def test_trips_reload_at_the_depot_once_their_goods_are_released():
    more = "RELEASE_TIME_SECTION\n1 0\n2 3\n3 0\nVEHICLES_RELOAD_DEPOT_SECTION\n1 1\n2 1\n"
    problem = read_task(TIMED.format(kind="MTVRPTWR", more=more), "small.vrp").problem
    assert problem.release_s.tolist() == [30, 0]
    assert [site.location for site in problem.disposals] == [0]
    assert not problem.vehicles[0].home_empty


def test_solomon():
    task = read_task(SOLOMON, "c101.txt")
    problem = task.problem
    assert len(problem.vehicles) == 3
    assert problem.vehicles[0].capacity_l == 200
    assert problem.distance_m[1, 2] == 20
    assert problem.distance_m[0, 1] == 186, "18.68 to one decimal, truncated"
    assert problem.windows[0] == (Window(from_s=9120, until_s=9670),)


def test_waste_collection_counts_feet_and_starts_lunch_between_eleven_and_twelve():
    task = read_task(WASTE, "4_stop.txt")
    problem, who = task.problem, task.problem.vehicles[0]
    assert problem.distance_m[0, 1] == 15_387
    assert problem.duration_s[0, 1] == 263, "262.3 s, and no rule is kept by rounding"
    assert (who.capacity_l, who.day_l, who.day_stops) == (28_000, 40_000, 500)
    assert (who.shift_from_s, who.shift_until_s) == (4 * 3600, 15 * 3600)
    assert (who.break_s, who.break_from_s, who.break_until_s) == (3600, 11 * 3600, 13 * 3600)
    assert problem.demand_l.tolist() == [1_250, 400]
    assert problem.windows == ((Window(from_s=7 * 3600, until_s=24 * 3600),), ())
    assert problem.disposals[0].unload_s == 1600


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (CVRP.replace("3 0 3", "3 0 north"), 9, "expected a number"),
        (CVRP.replace("3 0 3\n", ""), 9, "expected node 3"),
        (CVRP.replace("4 6\n", ""), 15, "expected 4 rows in DEMAND_SECTION"),
        (CVRP.replace("DIMENSION : 4", "DIMENSION : 4000000"), 3, "at most"),
        (CVRP.replace("CAPACITY : 10", "CAPACITY : 0"), 5, "CAPACITY > 0"),
        (CVRP.replace("DEMAND_SECTION", "BACKHAUL_SECTION"), 11, "not read here"),
        (CVRP.replace("CAPACITY : 10", "DISTANCE : 10"), 5, "not read here"),
        (SOLOMON.replace("200", "two hundred"), 5, "got 3 words"),
        (SOLOMON.replace("870", "820"), 12, "due date after"),
        (WASTE.replace("12.50 1", "12.50 7"), 9, "0 (depot), 1 (stop) or 2"),
        (WASTE.replace("0700", "0760"), 9, "time of day"),
        (WASTE.replace("4 300.0", "3 300.0"), 10, "on line 9 already"),
        (WASTE.replace("40 // speed", "0 // speed"), 5, "speed > 0"),
        ("nothing of the kind\n", 1, "expected a VRPLIB file"),
        ('{"stops": [\n  {"id": "a",\n   "place": "one"}], "vehicles": [], "travel": []}', 3, "int"),
        ('{"stops": [],\n "vehicles": [], "travel": [], "nonsense": 1}', 1, "nonsense"),
        ('{"stops": [\n  }', 2, "no JSON"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(InputError) as refused:
        read_task(text, "file")
    told = str(refused.value)
    assert told.startswith(f"file: line {line}: "), told
    assert reason in told


def everything() -> Problem:
    seconds = np.array([[0, 10, 20], [11, 0, 12], [21, 13, 0]], dtype=np.int64)
    return Problem(
        stop_ids=("a", "b"),
        location=np.array([1, 2], dtype=np.int64),
        demand_l=np.array([5, 6], dtype=np.int64),
        demand_kg=np.array([1, 2], dtype=np.int64),
        service_s=np.array([30, 40], dtype=np.int64),
        prize=np.array([1_234_567, 0], dtype=np.int64),
        must=np.array([False, True]),
        windows=((Window(from_s=0, until_s=50), Window(from_s=60, until_s=70)), ()),
        release_s=np.array([3, 0], dtype=np.int64),
        max_width_cm=np.array([210, 0], dtype=np.int64),
        crew=np.array([2, 1], dtype=np.int64),
        kinds=(frozenset({"small"}), frozenset()),
        barred=np.array([[False, True], [False, False]]),
        sector=np.array([4, -1], dtype=np.int64),
        vehicles=(
            DayVehicle(
                vehicle_id="v1", capacity_l=100, depot=0, end_depot=1, shift_until_s=900, overtime_until_s=1000,
                capacity_kg=70, width_cm=200, kind="small", crew=2, range_m=9000, break_s=10, break_from_s=100,
                break_until_s=200, prices=Prices(per_metre=1000, per_second=10_000, per_vehicle=5), day_l=300,
                day_stops=4, unloadings_at_most=2, sectors=frozenset({4}), profile=1,
            ),
            DayVehicle(vehicle_id="v2", capacity_l=50, depot=0, home_empty=False),
        ),
        disposals=(DayDisposal(place_id="tip", location=0, unload_s=60, windows=(Window(from_s=5, until_s=500),)),),
        duration_s=seconds,
        distance_m=seconds * 8,
        profiles=(TravelProfile(duration_s=seconds * 2, distance_m=seconds * 9),),
        prices=Prices(per_metre=1500, per_second=12_500, per_vehicle=30_000_000, per_overtime_second=5000),
        traffic=Traffic(from_s=(100, 200), percent=(150, 100)),
        wishes=Wishes(per_longest_second=10_000, per_split=2_000_000, per_unfamiliar_stop=500_000),
    )  # fmt: skip


def test_our_own_json_says_every_rule_and_reads_it_back():
    problem = everything()
    text = written(problem, name="day", places=[(2.0, 48.0), (2.1, 48.0), (2.0, 48.1)])
    task = read_task(text, "day.json")
    assert written(task.problem, name="day", places=task.positions) == text
    again = task.problem
    for name in ("vehicles", "disposals", "windows", "kinds", "traffic", "wishes", "prices", "stop_ids"):
        assert getattr(again, name) == getattr(problem, name), name
    for name in ("demand_l", "demand_kg", "prize", "must", "barred", "sector", "duration_s", "distance_m", "allowed"):
        assert (getattr(again, name) == getattr(problem, name)).all(), name
    assert (again.profiles[0].duration_s == problem.profiles[0].duration_s).all()


def test_a_broken_rule_of_our_json_names_the_stop_and_its_line():
    text = written(everything(), name="day").replace('{"id":"a"', '\n{"id":"a"').replace('"must":true', '"must":true')
    text = text.replace('"release_s":3', '"release_s":3,"must":true,"must_not":true')
    with pytest.raises(InputError, match=r"day.json: line 2: stop a: expected must or must_not"):
        read_task(text, "day.json")
