"""The kerb that is kept in memory is always the one that the transaction sees."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from storage import kerb_memory, kerb_places, stay_laws
from storage.database import Connection, connect
from storage.kerb.stay_law import StayLaw
from storage.model import EndedBy, KerbPlace, OccupancySession, PlaceKind, Rule
from storage.sessions import replace
from tests.storage.town import INSEE, NOON, Town

PARIS = ZoneInfo("Europe/Paris")


def known(connection: Connection) -> kerb_memory.KerbMemory:
    return kerb_memory.kerb_memory(connection, INSEE, zone=PARIS)


def rules(connection: Connection, place_id: str) -> tuple[Rule, ...]:
    memory = known(connection)
    place = memory.places[place_id]
    return memory.timetables.of_rules(place.rule_set_id, place.part_of).rules


def bay(place_id: str, **changes: object) -> KerbPlace:
    return KerbPlace(
        place_id=place_id,
        kind=PlaceKind.DELIVERY_BAY,
        longitude_deg=2.5,
        latitude_deg=48.8,
        **changes,  # type: ignore[arg-type]
    )


def test_what_changes_nothing_is_read_once(town: Town, monkeypatch: pytest.MonkeyPatch):
    first = known(town.connection)
    monkeypatch.setattr(kerb_memory, "_read", lambda *_, **__: pytest.fail("read again"))
    assert known(town.connection) is first


def test_every_way_to_change_the_kerb_is_seen_at_once(town: Town, any_database_url: str):
    connection = town.connection
    with connect(any_database_url, autocommit=True) as other:
        known(other)
        hourly, daily = Rule(max_stay_s=3600), Rule(max_stay_s=86_400)
        kerb_places.save(connection, INSEE, [bay("NEW", rules=(hourly,))])
        assert rules(connection, "NEW") == (hourly,)
        assert "NEW" not in known(other).places  # not committed
        kerb_places.save_rules(connection, [(INSEE, "NEW", (daily,))])
        assert rules(connection, "NEW") == (daily,)  # twice in one transaction
        kerb_places.save_rules(connection, [(INSEE, "NEW", (hourly,))])
        connection.commit()
        assert rules(other, "NEW") == (hourly,)
        kerb_places.save_rules(connection, [(INSEE, "NEW", (daily,))])
        connection.commit()
        assert rules(other, "NEW") == (daily,)
        area = KerbPlace(
            place_id="AREA", kind=PlaceKind.DELIVERY_AREA, longitude_deg=2.5, latitude_deg=48.8, rules=(hourly,)
        )
        kerb_places.save(connection, INSEE, [area, bay("NEW", part_of="AREA")])
        connection.commit()
        assert rules(other, "NEW") == (hourly,)
        connection.execute("UPDATE place SET longitude_deg = 2.6 WHERE place_id = 'NEW'")
        connection.commit()
        assert known(other).places["NEW"].longitude_deg == 2.6
        connection.execute("DELETE FROM place WHERE place_id = 'NEW'")
        connection.commit()
        assert "NEW" not in known(other).places


def test_what_is_rolled_back_is_not_kept(town: Town):
    before = known(town.connection)
    town.connection.commit()
    kerb_places.save(town.connection, INSEE, [bay("NEVER")])
    assert "NEVER" in known(town.connection).places
    town.connection.rollback()
    assert known(town.connection) is before
    kerb_places.save(town.connection, INSEE, [bay("OTHER")])
    assert {"OTHER"} == set(known(town.connection).places) - set(before.places)


def test_laws_of_stays_are_the_towns_own_dwells_learnt_once_a_day(town: Town):
    def stay(minutes: int, dwell_s: float | None) -> OccupancySession:
        started_at = NOON + timedelta(minutes=minutes)
        return OccupancySession(
            place_id="ADL-01", started_at=started_at, started_after=None, start_seen=True, last_seen_at=started_at,
            ended_at=started_at + timedelta(seconds=dwell_s or 1), ended_by=EndedBy.FREED, dwell_s=dwell_s,
            certainty=0.9, reports=2, device_id=town.bay_device, overstay_s=None,
        )  # fmt: skip

    def law() -> StayLaw:
        return stay_laws.told(stay_laws.ask(town.connection, INSEE))[PlaceKind.DELIVERY_BAY]

    assert not stay_laws.refresh(town.connection, INSEE, now=NOON)  # nothing is told yet
    guess = law().longer(3600)
    stays = [stay(number, 1000.0 + number % 5) for number in range(400)]  # all in the class below 20 minutes
    replace(town.connection, INSEE, after=[], sessions=[*stays, stay(1000, None)])
    day_after = NOON + timedelta(days=1)
    assert stay_laws.refresh(town.connection, INSEE, now=day_after)
    assert not stay_laws.refresh(town.connection, INSEE, now=day_after + timedelta(hours=23))
    row = town.connection.execute("SELECT kind, dwell_counts FROM stay_law").fetchone()
    assert row == ("delivery_bay", [0, 0, 0, 400, *[0] * 9])
    assert law().longer(900) > 0.9
    assert law().longer(3600) < guess / 5
    assert stay_laws.refresh(town.connection, INSEE, now=day_after + timedelta(days=1))
