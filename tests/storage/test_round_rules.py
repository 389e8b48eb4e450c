"""What a town tells of access, hours, crews and prices: kept whole or not at all, and kept by the plan."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from optimise.rounds.planner import plan_day
from storage import places, round_rules
from storage.database import Connection
from storage.errors import InputError, PlanRefusedError
from storage.model import (
    BinRule,
    DisposalRule,
    LocalHours,
    Place,
    PlaceKind,
    Plan,
    RoundRules,
    StopKind,
    VehicleRule,
    VehicleSize,
)
from tests.storage.test_planner import (
    DAY,
    EVENING,
    INSEE,
    foresee,
    options,
    provision,
)

TOWN = [(2.55 + (n % 5) / 400, 48.84 + (n // 5) / 400) for n in range(22)]
MORNING = LocalHours(opens=time(6), closes=time(7))
RULES = RoundRules(
    bins=(
        BinRule(place_id="COR-0001", windows=(MORNING,)),
        BinRule(place_id="COR-0003", crew=2, kg_per_l=0.2),
        BinRule(place_id="COR-0005", max_width_cm=180, vehicle_kinds=("small",)),
    ),
    vehicles=(
        VehicleRule(
            vehicle_id="BOM-1", crew=2, width_cm=230, end_depot_id="DEPOT-2", capacity_kg=900, range_m=60_000,
            overtime_s=1800, hour_eur=60, sectors=("Nord",),
        ),
        VehicleRule(
            vehicle_id="BOM-2", kind="small", width_cm=170, size=VehicleSize.SMALL, height_cm=200, length_cm=480,
            laden_kg=2300,
        ),
    ),
    disposal_sites=(DisposalRule(place_id="EXUTOIRE-1", windows=(LocalHours(opens=time(6), closes=time(11)),)),),
)  # fmt: skip


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streets")


@pytest.fixture
def town(connection: Connection) -> Connection:
    provision(connection, TOWN)
    other = Place(
        commune_insee=INSEE, place_id="DEPOT-2", kind=PlaceKind.DEPOT, longitude_deg=2.552, latitude_deg=48.842
    )
    places.save_places(connection, [other])
    foresee(connection)
    return connection


def plan(connection: Connection, cache: Path, **changes: object) -> Plan:
    names = [f"COR-{number:04}" for number in (1, 3, 5)]
    wanted = replace(options(cache), must_serve=frozenset(names), **changes)  # type: ignore[arg-type] # options of any kind
    return plan_day(connection, INSEE, service_date=DAY, as_of=EVENING, options=wanted)


def test_rules_come_back_as_they_were_told_and_as_the_document_says_them(town: Connection):
    round_rules.save(town, INSEE, RULES)
    round_rules.save(town, INSEE, RULES)
    assert round_rules.every(town, INSEE) == RULES
    assert round_rules.decode(round_rules.encode(RULES)) == RULES


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ("[", "the rules cannot be read"),
        ('{"bins": [{"place_id": "C", "crew": 0}]}', "bin C: expected crew in 1..9, got 0"),
        ('{"bins": [{"place_id": "C", "with": 0}]}', "bins: expected .*, got with"),
        ('{"lorries": []}', "expected bins, vehicles, disposal_sites, got 'lorries'"),
        ('{"vehicles": [{"vehicle_id": "V", "range_m": -1}]}', "vehicle V: expected range_m >= 0, got -1"),
        ('{"disposal_sites": [{"place_id": "E", "windows": [{"opens": "08:00", "closes": "07:00"}]}]}',
         "disposal site E: expected opens < closes"),
        ('{"bins": [{"place_id": "C", "windows": [{"opens": "25:00", "closes": "07:00"}]}]}', "cannot be read"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_what_is_wrong(document: str, rule: str):
    with pytest.raises(InputError, match=rule):
        round_rules.decode(document.encode())


def test_rules_of_strangers_are_refused_by_name(town: Connection):
    strange = RoundRules(
        bins=(BinRule(place_id="COR-7777"),), vehicles=(VehicleRule(vehicle_id="BOM-1", end_depot_id="X"),)
    )
    with pytest.raises(InputError, match=r"does not have bin 'COR-7777', depot 'X'"):
        round_rules.save(town, INSEE, strange)
    assert round_rules.every(town, INSEE) == RoundRules()


def test_a_plan_keeps_the_rules_that_the_town_told(town: Connection, cache: Path):
    round_rules.save(town, INSEE, RULES)
    town.commit()
    found = plan(town, cache)
    assert found.checker["accepted"] is True
    vehicle_of = {stop.place_id: route.vehicle_id for route in found.routes for stop in route.stops}
    stops = {stop.place_id: stop for route in found.routes for stop in route.stops if stop.kind is StopKind.BIN}
    assert (vehicle_of["COR-0003"], vehicle_of["COR-0005"]) == ("BOM-1", "BOM-2")
    begins: datetime = stops["COR-0001"].depart_at.astimezone(ZoneInfo("Europe/Paris"))
    assert time(6) <= begins.time() <= time(7, 5)
    (large,) = [route for route in found.routes if route.vehicle_id == "BOM-1"]
    assert large.stops[-1].place_id == "DEPOT-2"
    assert large.distance_m == pytest.approx(sum(stop.distance_m for stop in large.stops))
    assert found.inputs["rules"] == json.loads(round_rules.encode(RULES))


def test_a_bin_that_is_to_be_left_says_so(town: Connection, cache: Path):
    found = plan(town, cache, must_not_serve=frozenset({"COR-0002"}))
    assert {left.place_id: left.reason.code for left in found.left_out}["COR-0002"] == "must_not"
    with pytest.raises(InputError, match="got both for COR-0001"):
        plan(town, cache, must_not_serve=frozenset({"COR-0001"}))


def test_an_imposed_bin_that_nobody_can_serve_is_refused_with_the_reason(town: Connection, cache: Path):
    round_rules.save(town, INSEE, RoundRules(bins=(BinRule(place_id="COR-0003", crew=3),)))
    town.commit()
    with pytest.raises(
        PlanRefusedError, match=r"must_be_served \(COR-0003\).*COR-0003: Aucun véhicule .*il faut 3 agents"
    ):
        plan(town, cache)
