"""What rounds came to: sums by hand, nothing counted twice, and null where nobody told anything."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from storage import bins, kpi, plans, readings
from storage.errors import InputError
from storage.model import (
    FormerRound,
    Kpi,
    KpiBy,
    LeftOut,
    PlannedStop,
    PlanOrigin,
    PlanSource,
    Reason,
    ServiceEvent,
    ServiceEventKind,
    StopKind,
)
from tests.storage.town import BINS, INSEE, NOON, Town, batch, fill, plan

WEDNESDAY = date(2026, 3, 11)
SECTORS: dict[str, str | None] = {"COR-0001": "Nord", "COR-0002": "Sud", "COR-0003": None, "COR-0004": "Nord"}
START = datetime(2026, 3, 11, 4, 30, tzinfo=UTC)


def stop(
    index: int, kind: StopKind, minutes: tuple[int, int], metres: float, *, place: str | None = None,
    fill_fraction: float = 0, full: float = 0,
) -> PlannedStop:  # fmt: skip
    figures = {"fill_p50": fill_fraction, "probability_full": full, "probability_full_next": 0.9}
    return PlannedStop(
        stop_index=index, kind=kind, place_id=place, longitude_deg=2.55, latitude_deg=48.84,
        arrive_at=START + timedelta(minutes=minutes[0]), depart_at=START + timedelta(minutes=minutes[1]),
        load_l=0, distance_m=metres, reason=Reason(code="x", text="x", figures=figures) if place else None,
    )  # fmt: skip


@pytest.fixture
def driven(town: Town) -> tuple[Town, UUID]:
    """One round of 10.5 km and 70 minutes without its break; its first two bins were declared, the third not."""
    connection = town.connection
    bins.save(connection, [replace(BINS[0], place_id="COR-0004")])
    kpi.save_sectors(connection, INSEE, SECTORS)
    stops = (
        stop(0, StopKind.DEPOT, (0, 0), 0),
        stop(1, StopKind.BIN, (10, 11), 3000, place="COR-0001", fill_fraction=0.8, full=0.5),
        stop(2, StopKind.BIN, (20, 21), 2000, place="COR-0002", fill_fraction=0.6, full=0.2),
        stop(3, StopKind.BREAK, (30, 60), 0),
        stop(4, StopKind.BIN, (70, 71), 1000, place="COR-0003", fill_fraction=0.4, full=0.1),
        stop(5, StopKind.DISPOSAL, (80, 90), 4000),
        stop(6, StopKind.DEPOT, (100, 100), 500),
    )
    made = plan(checker={"accepted": True})
    left = LeftOut(place_id="COR-0004", reason=Reason(code="x", text="x", figures={"probability_full_next": 0.3}))
    made = replace(made, routes=(replace(made.routes[0], stops=stops),), left_out=(left,))
    plans.save(connection, replace(made, plan_id=uuid4(), made_at=NOON - timedelta(hours=1)))  # superseded
    plans.save(connection, made)
    for place_id, minutes, found in (("COR-0001", 15, 0.8), ("COR-0001", 16, 0.8), ("COR-0002", 28, 1.0)):
        declare(town, place_id, START + timedelta(minutes=minutes), found, made.plan_id)
    connection.commit()
    return town, made.plan_id


def declare(town: Town, place_id: str, at: datetime, found: float | None, plan_id: UUID | None) -> None:
    event = ServiceEvent(
        commune_insee=INSEE, event_id=uuid4(), place_id=place_id, kind=ServiceEventKind.EMPTIED, happened_at=at,
        found_fraction=found, plan_id=plan_id,
    )  # fmt: skip
    bins.declare(town.connection, [event])


def figures(town: Town, *, by: KpiBy, first: date = WEDNESDAY, last: date = WEDNESDAY) -> dict[str, Kpi]:
    found = kpi.figures(town.connection, INSEE, first=first, last=last, by=by, co2_kg_per_km=0.5)
    return {one.key: one for one in found}


def test_a_day_adds_up(driven: tuple[Town, UUID]):
    (day,) = figures(driven[0], by=KpiBy.DAY).values()
    assert (day.key, day.days, day.planned_days, day.done_days) == ("2026-03-11", 1, 1, 1)
    assert (day.planned_km, day.planned_bins) == (10.5, 3)
    assert day.planned_hours == pytest.approx(70 / 60)  # without the break
    assert day.planned_fill_fraction == pytest.approx(0.6)
    assert day.planned_overflows == pytest.approx(0.5 + 0.2 + 0.1 + 0.3)
    assert day.planned_co2_kg == pytest.approx(5.25)
    # The two bins, the way to unload and home; not the third bin.
    assert day.done_km == pytest.approx(9.5)
    # 11 planned minutes to leave the first stop, 13 to the second as declared, then 9 + 19 + 10 planned ones.
    assert day.done_hours == pytest.approx(62 / 60)
    assert (day.done_bins, day.done_bins_off_plan, day.done_overflows_declared) == (2, 0, 1)
    assert day.done_fill_declared_fraction == pytest.approx((0.8 + 0.8 + 1.0) / 3)
    assert (day.done_fill_measured_fraction, day.done_overflows_measured, day.done_bins_measured) == (None, None, 0)
    assert (day.former_km, day.former_hours, day.former_bins, day.compared_days) == (None, None, None, 0)


def test_sectors_share_a_round_out(driven: tuple[Town, UUID]):
    sectors = figures(driven[0], by=KpiBy.SECTOR)
    assert {name: (one.planned_km, one.planned_bins, one.done_km) for name, one in sectors.items()} == {
        "Nord": (3, 1, 3), "Sud": (2, 1, 2), "": (5.5, 1, 4.5),
    }  # fmt: skip
    assert sectors["Nord"].planned_hours == pytest.approx(11 / 60)
    assert sectors["Sud"].planned_hours == pytest.approx(19 / 60)
    assert sectors[""].planned_hours == pytest.approx(40 / 60)
    assert sectors["Nord"].planned_overflows == pytest.approx(0.8)
    assert sum(one.done_hours or 0 for one in sectors.values()) == pytest.approx(62 / 60)


def test_former_rounds_are_compared_on_the_days_that_both_know(driven: tuple[Town, UUID]):
    town = driven[0]
    kpi.save_former(
        town.connection,
        INSEE,
        [
            FormerRound(sector="Nord", weekday=3, km=8, hours=2, bins=2),
            FormerRound(sector="Sud", weekday=3, km=6, hours=1.5, bins=1),
            FormerRound(sector="Nord", weekday=4, km=8, hours=2),
        ],
    )
    days = figures(town, by=KpiBy.DAY, last=WEDNESDAY + timedelta(days=2))
    assert [(one.former_km, one.former_hours, one.former_bins) for one in days.values()] == [
        (14, 3.5, 3), (8, 2, None), (0, 0, 0),
    ]  # fmt: skip
    (month,) = figures(town, by=KpiBy.MONTH, last=WEDNESDAY + timedelta(days=2)).values()
    assert (month.key, month.days, month.planned_days, month.done_days) == ("2026-03", 3, 1, 1)
    assert (month.former_km, month.former_co2_kg) == (22, 11)
    assert (month.compared_days, month.compared_done_km, month.compared_former_km) == (1, 9.5, 14)
    assert figures(town, by=KpiBy.SECTOR)["Sud"].former_km == 6
    kpi.save_former(town.connection, INSEE, [])
    assert figures(town, by=KpiBy.MONTH)["2026-03"].former_km is None


def test_what_nobody_told_is_null_and_never_nothing(driven: tuple[Town, UUID]):
    town = driven[0]
    thursday = WEDNESDAY + timedelta(days=1)
    (before,) = figures(town, by=KpiBy.DAY, first=thursday, last=thursday).values()
    told = {name for name, value in asdict(before).items() if value is not None}
    assert told == {"key", "days", "planned_days", "done_days", "done_bins_measured", "compared_days"}
    # An emptying without a plan: the bin is known, its kilometres are not.
    declare(town, "COR-0003", START + timedelta(days=1), None, None)
    (after,) = figures(town, by=KpiBy.DAY, first=thursday, last=thursday).values()
    assert (after.done_bins, after.done_km, after.done_bins_off_plan) == (1, None, None)
    assert after.done_fill_declared_fraction is None


def test_a_round_over_midnight_belongs_to_its_plans_day(driven: tuple[Town, UUID]):
    town, plan_id = driven
    declare(town, "COR-0003", START + timedelta(hours=20), 0.5, plan_id)  # 01:30 the day after, in Paris
    days = figures(town, by=KpiBy.DAY, last=WEDNESDAY + timedelta(days=1))
    assert [one.done_bins for one in days.values()] == [3, None]
    assert days["2026-03-11"].done_km == pytest.approx(10.5)


def test_bins_off_the_plan_and_full_bins_that_sensors_saw_are_counted(driven: tuple[Town, UUID]):
    town, plan_id = driven
    declare(town, "COR-0004", START + timedelta(minutes=40), 0.2, plan_id)
    readings.take_in(town.connection, batch(fill_readings=[fill(town.bin_device, START - timedelta(hours=1), 1.1)]))
    town.connection.commit()
    (day,) = figures(town, by=KpiBy.DAY).values()
    assert (day.done_bins, day.done_bins_off_plan) == (3, 1)
    assert (day.done_overflows_measured, day.done_bins_measured) == (1, 1)


def test_days_out_of_order_or_too_many_are_refused(town: Town):
    with pytest.raises(InputError, match="expected the first day not to be after the last"):
        figures(town, by=KpiBy.DAY, last=WEDNESDAY - timedelta(days=1))
    with pytest.raises(InputError, match="expected at most 1100 days, got 1828"):
        figures(town, by=KpiBy.DAY, last=date(2031, 3, 12))


def test_sectors_of_unknown_bins_are_refused(town: Town):
    with pytest.raises(InputError, match="commune 93051 has no bin 'COR-9999'"):
        kpi.save_sectors(town.connection, INSEE, {"COR-0001": "Nord", "COR-9999": "Nord"})


def test_what_was_planned_is_what_was_published_before_the_rounds_were_edited_on_the_road(driven: tuple[Town, UUID]):
    town, _ = driven
    before = figures(town, by=KpiBy.DAY)
    edited = plan(checker={"accepted": True})
    source = PlanSource(origin=PlanOrigin.EDITED, made_by="Chef")
    plans.save(town.connection, replace(edited, plan_id=uuid4(), inputs={"rest_since": "x"}), source=source)
    assert figures(town, by=KpiBy.DAY) == before


def test_what_vehicles_told_of_their_way_stands_beside_and_belongs_to_no_sector(driven: tuple[Town, UUID]):
    town, _ = driven
    assert figures(town, by=KpiBy.DAY)["2026-03-11"].done_told_km is None
    town.connection.execute(
        "INSERT INTO vehicle_day VALUES (%s, 'BOM-1', '2026-03-11', 12500, 500), (%s, 'BOM-1', '2026-03-10', 9000, 0)",
        [INSEE, INSEE],
    )
    day = figures(town, by=KpiBy.DAY)["2026-03-11"]
    assert (day.done_told_km, day.done_bridged_km) == (12.5, 0.5)
    month = figures(town, by=KpiBy.MONTH, first=WEDNESDAY - timedelta(days=1))["2026-03"]
    assert month.done_told_km == pytest.approx(21.5)
    assert {one.done_told_km for one in figures(town, by=KpiBy.SECTOR).values()} == {None}
