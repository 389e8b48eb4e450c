"""Rounds edited while they are driven: what is done and everybody's next stop stay; a draft that aged is refused."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from optimise.rounds.editing.editor import EditorOptions, edit_plan
from storage import plan_versions, plans
from storage.errors import ConflictError, InputError
from storage.model import Plan, PlanOrigin, ServiceEventKind, StopKind
from tests.storage.test_plan_editing import WARM, everything, longest_way_driven, planner, published, rounded, rounds
from tests.storage.test_plan_repair import Road
from tests.storage.test_planner import INSEE


class Desk:
    """A chef at the desk while the rounds are on the road."""

    def __init__(self, road: Road, cache: Path) -> None:
        self.road = road
        self._options = EditorOptions(planner=planner(cache), iterations=60, opener=WARM.open, lines=WARM.lines)

    def edit(self, *edits: dict[str, Any]) -> Plan:
        """Make a draft, and see that it keeps what it has to keep of the published plan."""
        draft = edit_plan(self.road.connection, INSEE, self.road.plan.plan_id, edits, by="Chef", options=self._options)
        assert draft.checker["accepted"] is True
        assert everything(draft) == everything(self.road.plan)
        assert all(left.reason.code and left.reason.text for left in draft.left_out)
        return draft

    def publish(self, draft: Plan) -> None:
        plan_versions.publish(self.road.connection, INSEE, draft.plan_id, by="Chef", at=draft.made_at)
        self.road.connection.commit()
        self.road.plan = plans.one(self.road.connection, INSEE, draft.plan_id)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("under-way-streets")


@pytest.fixture
def road(connection: Any, cache: Path) -> Road:
    return Road(connection, published(connection, cache), cache)


@pytest.fixture
def desk(road: Road, cache: Path) -> Desk:
    return Desk(road, cache)


def test_what_is_done_and_next_stays_and_the_rest_is_edited(road: Road, desk: Desk):
    now = road.drive(4)
    mine, other = road.bins(), road.bins(road.other)
    added = next(left.place_id for left in road.plan.left_out if left.reason.code == "not_worth_it")
    draft = desk.edit(
        {"kind": "drop", "place_id": mine[7]},
        {"kind": "add", "place_id": added, "vehicle_id": road.vehicle, "position": 7},
        {"kind": "move", "place_id": mine[9], "vehicle_id": road.other},
        {"kind": "lock", "place_id": mine[10], "hold": "first"},
    )
    new = rounds(draft)
    # Behind as it was, then what the driver heads for, then what the chef wants first.
    assert new[road.vehicle][:6] == [*mine[:5], mine[10]]
    assert new[road.other][0] == other[0]
    assert mine[9] in new[road.other]
    assert {left.place_id: left.reason.code for left in draft.left_out}[mine[7]] == "must_not"
    assert new[road.vehicle].index(added) > new[road.vehicle].index(mine[4])
    behind = [stop for stop in road.route(plan=draft).stops if stop.kind is StopKind.BIN][:4]
    planned = [stop for stop in road.route().stops if stop.kind is StopKind.BIN][:4]
    assert [stop.depart_at for stop in behind] == [stop.depart_at for stop in planned]
    ahead = [stop for route in draft.routes for stop in route.stops if stop.place_id not in {*mine[:4], "DEPOT-1"}]
    assert all(stop.depart_at >= now for stop in ahead)
    version = plan_versions.one(road.connection, INSEE, draft.plan_id)
    assert (version.origin, version.based_on) == (PlanOrigin.EDITED, road.plan.plan_id)
    assert version.difference is not None
    assert [item["place_id"] for item in version.difference["dropped"]] == [mine[7]]
    assert [lock["edit"] for lock in version.difference["locks"]] == [1, 2, 3, 4]
    # Published, it is what crews drive, and nothing that it knew calls for a repair.
    desk.publish(draft)
    assert road.repair() is None


def test_edits_of_what_is_over_are_refused_by_name(road: Road, desk: Desk):
    now = road.drive(3)
    mine, other = road.bins(), road.bins(road.other)
    road.tell(mine[6], ServiceEventKind.BLOCKED, now)
    for edits, told in [
        ([{"kind": "drop", "place_id": mine[1]}], rf"edit 1 \(drop\): {mine[1]} was emptied at "),
        ([{"kind": "lock", "place_id": mine[0]}], rf"{mine[0]} was emptied at "),
        ([{"kind": "drop", "place_id": mine[3]}], rf"{road.vehicle} is heading for {mine[3]}: it stays next"),
        ([{"kind": "move", "place_id": other[0], "vehicle_id": road.vehicle}], rf"heading for {other[0]}"),
        ([{"kind": "move", "place_id": mine[6], "vehicle_id": road.other}], rf"{mine[6]} was declared blocked at "),
        (
            [{"kind": "move", "place_id": other[4], "vehicle_id": road.vehicle, "position": 4}],
            r"expected position >= 5, got 4",
        ),
    ]:
        with pytest.raises(InputError, match=told):
            desk.edit(*edits)


def test_nobody_is_sent_again_to_a_bin_that_a_crew_found_damaged(road: Road, desk: Desk):
    now = road.drive(3)
    mine = road.bins()
    road.tell(mine[3], ServiceEventKind.DAMAGED, now)
    for edit in (
        {"kind": "move", "place_id": mine[3], "vehicle_id": road.other},
        {"kind": "lock", "place_id": mine[3]},
        {"kind": "add", "place_id": mine[3]},
    ):
        with pytest.raises(InputError, match=rf"{road.vehicle} declared {mine[3]} damaged; take that back first"):
            desk.edit(edit)
    driven = rounds(desk.edit({"kind": "drop", "place_id": mine[7]}))
    assert driven[road.vehicle][:5] == mine[:5]
    assert mine[3] not in driven[road.other]


def test_a_vehicle_called_home_finishes_what_it_heads_for_and_gets_nothing_more(road: Road, desk: Desk):
    road.at(max(road.drive(4), road.route(road.other).start_at + timedelta(minutes=1)))
    mine = road.bins()
    draft = desk.edit({"kind": "without", "vehicle_id": road.vehicle})
    assert rounds(draft)[road.vehicle] == mine[:5]
    stops = road.route(plan=draft).stops
    assert stops[-1].kind is StopKind.DEPOT
    assert stops[-1].load_l == 0
    assert any(stop.kind is StopKind.DISPOSAL for stop in stops)
    assert set(mine[5:]) & set(rounds(draft)[road.other])
    desk.publish(draft)
    # It is not sent anywhere by what comes later, either.
    road.tell(rounds(road.plan)[road.other][3], ServiceEventKind.BLOCKED, draft.made_at)
    made = road.repair()
    assert made is not None
    assert rounds(made)[road.vehicle] == mine[:5]
    later = desk.edit({"kind": "drop", "place_id": rounds(road.plan)[road.other][5]})
    assert rounds(later)[road.vehicle] == mine[:5]


def test_a_vehicle_kept_at_the_depot_stays_there_though_it_was_repaired_before(road: Road, desk: Desk):
    leaves = min(route.start_at for route in road.plan.routes)
    road.breaks_down(road.other, leaves - timedelta(hours=2))
    road.is_back(road.other, leaves - timedelta(minutes=90))
    road.at(leaves - timedelta(hours=1))
    desk.publish(desk.edit({"kind": "without", "vehicle_id": road.other}))
    road.drive(2)
    made = road.repair()
    assert made is None or road.other not in rounds(made)
    assert desk.edit({"kind": "drop", "place_id": road.bins()[5]}).inputs["vehicles"] == [road.vehicle]
    with pytest.raises(InputError, match=f"there is no vehicle '{road.other}'"):
        desk.edit({"kind": "move", "place_id": road.bins()[5], "vehicle_id": road.other})


def test_a_crew_that_the_chef_told_of_outlasts_a_repair(road: Road, desk: Desk):
    leaves = min(route.start_at for route in road.plan.routes)
    road.at(leaves - timedelta(hours=1))
    desk.publish(desk.edit({"kind": "crew", "vehicle_id": road.vehicle, "people": 3}))
    road.breaks_down(road.other, leaves - timedelta(minutes=50))
    road.at(leaves - timedelta(minutes=40))
    assert road.repair() is not None
    draft = desk.edit({"kind": "lock", "place_id": road.bins()[4]})
    crews = {rule["vehicle_id"]: rule["crew"] for rule in draft.inputs["rules"]["vehicles"]}
    assert (draft.inputs["crews"], crews[road.vehicle]) == ({road.vehicle: 3}, 3)


def test_a_street_is_closed_while_rounds_are_driven(road: Road, desk: Desk):
    road.drive(2)
    way_id, line = longest_way_driven(road.plan)
    draft = desk.edit({"kind": "close", "line": line})
    assert way_id in draft.inputs["closed_ways"]
    rest = [replace_geometry(route, road.route(route.vehicle_id)) for route in draft.routes]
    assert not {piece for one in rest for piece in one} & set(map(frozenset, pairs(line)))


def pairs(line: list[list[float]]) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    points = rounded(line)
    return list(pairwise(points))


def replace_geometry(route: Any, before: Any) -> set[frozenset[tuple[float, float]]]:
    """Return the pieces of street that a route drives from where it was on."""
    done = 0
    for old, new in zip(before.geometry, route.geometry, strict=False):
        if old != new:
            break
        done += 1
    return {frozenset(pair) for pair in pairs([list(point) for point in route.geometry[max(0, done - 1) :]])}


def test_a_draft_is_not_published_once_a_crew_has_come_to_what_it_changes(road: Road, desk: Desk):
    road.drive(2)
    mine = road.bins()
    near = desk.edit({"kind": "drop", "place_id": mine[3]})
    far = desk.edit({"kind": "drop", "place_id": mine[-1]})
    before = [rounds(far)[road.vehicle][:4], mine[:4]]
    road.drive(3)
    with pytest.raises(ConflictError, match=rf"{road.vehicle} is heading for {mine[3]} now"):
        plan_versions.publish(road.connection, INSEE, near.plan_id, by="Chef", at=road_now(road))
    assert before[0] == before[1]
    plan_versions.publish(road.connection, INSEE, far.plan_id, by="Chef", at=road_now(road))


def road_now(road: Road) -> Any:
    stops = [stop for stop in road.route().stops if stop.kind is StopKind.BIN]
    return stops[2].depart_at


def test_a_day_that_is_over_is_not_edited(road: Road, desk: Desk):
    road.at(road.route().end_at + timedelta(days=1))
    with pytest.raises(ConflictError, match="are over since"):
        desk.edit({"kind": "drop", "place_id": road.bins()[1]})


def test_imposed_bins_that_no_time_is_left_for_do_not_keep_the_rest_from_being_repaired(road: Road, desk: Desk):
    road.drive(3)
    imposed = [left.place_id for left in road.plan.left_out if left.reason.code == "not_worth_it"][:12]
    desk.publish(desk.edit(*({"kind": "add", "place_id": place_id} for place_id in imposed)))
    assert set(imposed) <= {name for names in rounds(road.plan).values() for name in names}
    # Ten minutes before the shift ends.
    road.at(road.route().start_at.replace(hour=10, minute=20))
    made = road.repair()
    assert made is not None
    left = {item.place_id: item.reason.code for item in made.left_out}
    assert {left[place_id] for place_id in imposed if place_id in left} == {"shift"}
