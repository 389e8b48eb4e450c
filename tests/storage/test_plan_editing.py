"""Plans edited on a real database and real streets: what is locked stays, what breaks a rule is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import osmium
import pytest

from optimise.rounds.day import PriceOptions
from optimise.rounds.editing.editor import EditorOptions, edit_plan
from optimise.rounds.planner import PlannerOptions, plan_day
from optimise.rounds.warm_streets import WarmStreets
from simulators.streets import default_extract
from storage import bins, communes, plan_versions, plans, round_rules
from storage.database import Connection
from storage.errors import ConflictError, InputError, PlanRefusedError
from storage.model import Plan, PlanStatus, RoundRules, Simulation, StopKind, VehicleRule
from storage.turns import out_of_turn
from tests.storage.test_planner import DAY, EVENING, INSEE, foresee, options, provision, street_points

WARM = WarmStreets()


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("editing-streets")


def planner(cache: Path) -> PlannerOptions:
    return replace(options(cache, extract=default_extract()), prices=PriceOptions(vehicle_eur=0))


@pytest.fixture
def base(connection: Connection, cache: Path) -> Plan:
    return published(connection, cache)


def published(connection: Connection, cache: Path) -> Plan:
    """Publish a plan of two vehicles and some thirty bins."""
    provision(connection, street_points(default_extract(), 72))
    foresee(connection)
    stand_still(connection, EVENING)
    # One vehicle alone would not carry it all.
    once = RoundRules(vehicles=tuple(VehicleRule(vehicle_id=name, unloadings_at_most=1) for name in ("BOM-1", "BOM-2")))
    round_rules.save(connection, INSEE, once)
    made = plan_day(
        connection, INSEE, service_date=DAY, as_of=EVENING,
        options=planner(cache), opener=WARM.open,
    )  # fmt: skip
    connection.commit()
    assert len(made.routes) == 2
    return made


def stand_still(connection: Connection, now: datetime) -> None:
    """Stop the commune's clock at a moment."""
    communes.save_simulation(
        connection,
        Simulation(
            commune_insee=INSEE, seed=1, streets_source="none", started_at=now, history_until=now,
            wall_origin=datetime.now(UTC), simulated_origin=now, rate=1e-9,
        ),
    )  # fmt: skip


type Editing = Callable[..., Plan]


@pytest.fixture
def edit(connection: Connection, base: Plan, cache: Path) -> Editing:
    def make(*edits: dict[str, Any], of: Plan = base, **changes: Any) -> Plan:
        editor = EditorOptions(
            planner=planner(cache), iterations=60, opener=WARM.open, lines=WARM.lines,
            **changes,
        )  # fmt: skip
        return edit_plan(connection, INSEE, of.plan_id, edits, by="Chef", options=editor)

    return make


def rounds(plan: Plan) -> dict[str, list[str]]:
    return {
        route.vehicle_id: [str(stop.place_id) for stop in route.stops if stop.kind is StopKind.BIN]
        for route in plan.routes
    }


def everything(plan: Plan) -> list[str]:
    return sorted([*(name for names in rounds(plan).values() for name in names), *(x.place_id for x in plan.left_out)])


def test_what_is_locked_stays_what_is_moved_goes_there_and_the_difference_is_told(
    connection: Connection, base: Plan, edit: Editing
):
    one, other = rounds(base)
    moved, dropped, pinned = rounds(base)[one][3], rounds(base)[one][6], rounds(base)[other][5]
    first = rounds(base)[one][8]
    added = next(left.place_id for left in base.left_out if left.reason.code == "not_worth_it")
    draft = edit(
        {"kind": "move", "place_id": moved, "vehicle_id": other, "position": 3},
        {"kind": "lock", "place_id": pinned},
        {"kind": "lock", "place_id": first, "hold": "first"},
        {"kind": "drop", "place_id": dropped},
        {"kind": "add", "place_id": added},
    )
    new = rounds(draft)
    assert draft.checker["accepted"] is True
    assert everything(draft) == everything(base)
    assert new[one][0] == first
    assert added in {name for names in new.values() for name in names}
    assert {left.place_id: left.reason.code for left in draft.left_out}[dropped] == "must_not"
    wanted = rounds(base)[other]
    wanted.insert(2, moved)
    for stay in (moved, pinned):
        turn, old = new[other].index(stay), wanted.index(stay)
        assert not set(new[other][:turn]) & set(wanted[old + 1 :])
        assert not set(new[other][turn + 1 :]) & set(wanted[:old])

    version = plan_versions.one(connection, INSEE, draft.plan_id)
    assert (version.status, version.based_on, version.made_by) == (PlanStatus.DRAFT, base.plan_id, "Chef")
    assert plans.latest(connection, INSEE, service_date=DAY) == plans.one(connection, INSEE, base.plan_id)
    told = version.difference
    assert told is not None
    by_vehicle = {route["vehicle_id"]: route for route in told["routes"]}
    assert {"place_id": moved, "from": one} in by_vehicle[other]["moved_in"]
    assert {"place_id": moved, "to": other} in by_vehicle[one]["moved_out"]
    assert dropped in [item["place_id"] for item in told["dropped"]]
    assert added in [name for route in told["routes"] for name in route["added"]]
    assert told["after"]["km"] == pytest.approx(draft.distance_m / 1000, abs=1e-3)
    assert told["before"]["km"] == pytest.approx(base.distance_m / 1000, abs=1e-3)
    left = sum(item.reason.figures.get("probability_full_next", 0) for item in draft.left_out)
    assert told["after"]["expected_overflows"] == pytest.approx(left, abs=1e-3)
    assert [lock["edit"] for lock in told["locks"]] == [1, 2, 3, 4, 5]
    # A bin that was not worth its detour is paid for, now that it is imposed.
    assert told["locks"][4]["cost_eur"] > 0
    assert all(lock["cost_eur"] is None or lock["cost_eur"] >= 0 for lock in told["locks"])


def test_a_vehicle_that_stays_at_home_has_its_bins_shared_or_left_with_reasons(base: Plan, edit: Editing):
    gone, stays = rounds(base)
    draft = edit({"kind": "without", "vehicle_id": gone})
    assert list(rounds(draft)) == [stays]
    assert everything(draft) == everything(base)
    assert set(rounds(draft)[stays]) & set(rounds(base)[gone])
    assert all(left.reason.code and left.reason.text for left in draft.left_out)


def test_edits_that_break_a_rule_are_refused_with_bin_and_rule(connection: Connection, base: Plan, edit: Editing):
    one, other = rounds(base)
    name = rounds(base)[one][0]
    rules = {"bins": [{"place_id": name, "crew": 2}], "vehicles": [{"vehicle_id": one, "crew": 2}]}
    round_rules.save(connection, INSEE, round_rules.decode(str(rules).replace("'", '"').encode()))
    connection.commit()
    with pytest.raises(PlanRefusedError, match=rf"access_crew \({other}, {name}\): the bin takes 2 people"):
        edit({"kind": "move", "place_id": name, "vehicle_id": other})
    with pytest.raises(PlanRefusedError, match=rf"access_crew \({one}, {name}\): .* the crew has 1"):
        edit({"kind": "lock", "place_id": name, "hold": "round"}, {"kind": "crew", "vehicle_id": one, "people": 1})
    early = {"bins": [{"place_id": name, "windows": [{"opens": "01:00", "closes": "02:00"}]}]}
    round_rules.save(connection, INSEE, round_rules.decode(str(early).replace("'", '"').encode()))
    connection.commit()
    with pytest.raises(PlanRefusedError, match=rf"window \({one}, {name}\): arrives at"):
        edit({"kind": "lock", "place_id": name})
    with pytest.raises(PlanRefusedError, match=r"must_be_served \(COR-9002\): Inaccessible"):
        edit({"kind": "add", "place_id": "COR-9002"})
    # Nothing was kept of what was refused.
    assert len(plan_versions.of_day(connection, INSEE, service_date=DAY)) == 1


NONSENSE: list[tuple[list[dict[str, Any]], str]] = [
    ([{"kind": "paint"}], "edit 1: expected kind to be one of lock, move"),
    ([{"kind": "drop", "place_id": "COR-9999"}], "there is no bin 'COR-9999'"),
    ([{"kind": "drop", "place_id": "COR-0001", "why": 1}], "expected no why"),
    ([{"kind": "without", "vehicle_id": "V"}], "there is no vehicle 'V'"),
    ([{"kind": "lock", "place_id": "COR-9001"}], "COR-9001 is in no round"),
    ([{"kind": "crew", "vehicle_id": "BOM-1", "people": 0}], "expected people in 1..9"),
    ([{"kind": "close"}], "expected either way_id or line"),
]


def test_edits_that_make_no_sense_are_refused_by_number(edit: Editing):
    for edits, told in NONSENSE:
        with pytest.raises(InputError, match=told):
            edit(*edits)


def test_a_street_is_closed_by_a_stroke_along_it(base: Plan, edit: Editing):
    way_id, line = longest_way_driven(base)
    draft = edit({"kind": "close", "line": line})
    assert way_id in draft.inputs["closed_ways"]
    assert draft.checker["accepted"] is True
    assert everything(draft) == everything(base)
    by_number = edit({"kind": "close", "way_id": way_id})
    assert by_number.inputs["closed_ways"] == [way_id]
    for closed in (draft, by_number):
        assert not stretches_driven(closed) & set(map(frozenset, pairwise(rounded(line))))
    assert stretches_driven(base) & set(map(frozenset, pairwise(rounded(line))))
    with pytest.raises(InputError, match="follows no street"):
        edit({"kind": "close", "line": [[2.0, 48.0], [2.001, 48.0]]})


def rounded(line: Iterable[Sequence[float]]) -> list[tuple[float, float]]:
    return [(round(point[0], 5), round(point[1], 5)) for point in line]


def stretches_driven(plan: Plan) -> set[frozenset[tuple[float, float]]]:
    """Return the straight pieces of street that a plan drives, in either direction."""
    return {frozenset(pair) for route in plan.routes for pair in pairwise(rounded(route.geometry))}


def longest_way_driven(plan: Plan) -> tuple[int, list[list[float]]]:
    """Return the way with most points that the plan's rounds drive along, and its line."""
    driven = stretches_driven(plan)
    best: tuple[int, list[list[float]]] = (0, [])
    for way in osmium.FileProcessor(str(default_extract())).with_locations():
        if isinstance(way, osmium.osm.Way) and way.tags.get("highway") in {"residential", "tertiary", "secondary"}:
            line = [[node.lon, node.lat] for node in way.nodes if node.location.valid()]
            if len(line) > len(best[1]) and set(map(frozenset, pairwise(rounded(line)))) <= driven:
                best = (way.id, line)
    assert len(best[1]) > 3
    return best


def test_a_draft_is_edited_further_and_published_once(connection: Connection, base: Plan, edit: Editing):
    one, other = rounds(base)
    first = edit({"kind": "drop", "place_id": rounds(base)[one][0]})
    second = edit({"kind": "drop", "place_id": rounds(base)[other][0]}, of=first)
    version = plan_versions.one(connection, INSEE, second.plan_id)
    assert version.based_on == base.plan_id
    assert [item["place_id"] for item in version.edits] == [rounds(base)[one][0], rounds(base)[other][0]]
    plan_versions.publish(connection, INSEE, second.plan_id, by="Chef", at=EVENING)
    with pytest.raises(ConflictError, match="is superseded: edit the published one"):
        edit({"kind": "drop", "place_id": rounds(base)[one][1]}, of=base)
    third = edit(
        {"kind": "drop", "place_id": rounds(second)[one][1]},
        {"kind": "without", "vehicle_id": other},
        {"kind": "crew", "vehicle_id": one, "people": 3},
        of=second,
    )
    assert {left.place_id for left in third.left_out} >= {rounds(base)[one][0], rounds(base)[other][0]}
    # What one edit decided holds for those after it.
    plan_versions.publish(connection, INSEE, third.plan_id, by="Chef", at=EVENING)
    fourth = edit({"kind": "drop", "place_id": rounds(third)[one][0]}, of=third)
    assert list(rounds(fourth)) == [one]
    assert fourth.inputs["crews"] == {one: 3}
    assert {rule["vehicle_id"]: rule["crew"] for rule in fourth.inputs["rules"]["vehicles"]}[one] == 3


def test_edits_keep_close_to_the_plan_where_changes_cost(base: Plan, edit: Editing):
    one, _ = rounds(base)
    drop = {"kind": "drop", "place_id": rounds(base)[one][0]}
    dear = edit(drop, change_eur=1000.0)
    for vehicle, names in rounds(base).items():
        kept = [name for name in names if name != drop["place_id"]]
        assert rounds(dear)[vehicle] == kept


def test_bins_of_the_edited_plan_are_those_of_the_commune(connection: Connection, base: Plan, edit: Editing):
    draft = edit({"kind": "drop", "place_id": rounds(base)["BOM-1"][0]})
    assert everything(draft) == sorted(item.place_id for item in bins.every(connection, INSEE))


def test_reordered_names_the_fewest_bins():
    assert out_of_turn(["a", "b", "c", "d"], ["b", "c", "d", "a"]) == ["a"]
    assert out_of_turn(["a", "b", "c"], ["a", "x", "b", "c"]) == []
    assert out_of_turn([], ["a"]) == []
