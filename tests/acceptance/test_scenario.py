"""A day that tells a story, through a real broker, collector and database: sessions and states are what happened."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from optimise.occupancy.job import make_sessions
from simulators.faults import NO_FAULTS
from simulators.timeline import Timeline
from storage import communes, devices, places, sessions
from storage.database import connect
from storage.kerb_now import kerb_now
from storage.model import BayState, Commune
from tests.acceptance.collecting import INSEE, Town, collecting, make_session, publisher
from tests.unit.test_scenario import DAY, at, town

PARIS = ZoneInfo("Europe/Paris")


def test_a_day_s_story_is_what_the_database_tells(database_url: str, any_broker_url: str):
    world = town()
    here = Town(database_url=database_url, broker_url=any_broker_url)
    with connect(database_url) as connection:
        communes.save(connection, Commune(commune_insee=INSEE, name="Essai"))
        places.save_delivery_bays(connection, list(world.delivery_bays))
        places.save_parking_spaces(connection, list(world.parking_spaces))
        for device in world.devices:
            device_id = devices.register(connection, device.as_device())
            devices.mount(connection, device.as_mounting(device_id))
    told = [
        (here.topic(one.eui), one.payload)
        for one in Timeline(world, NO_FAULTS).publications(world.start, world.history_until)
        if one.eui is not None
    ]
    options = replace(here.options(), max_age_days=36_500)
    make_session(here)
    with publisher(here) as street, collecting(options):
        street.publish(told)
        here.wait_for_messages(len(told))
    assert here.tally()[3] == 0
    with connect(database_url) as connection:
        make_sessions(connection, INSEE)
        since, until = (datetime.fromtimestamp(moment, PARIS) for moment in (at(0), at(23)))
        stays = sessions.of_place(connection, INSEE, "ADL-01", since=since, until=until)
        lag_s = next(device.lag_s for device in world.devices if device.place_id == "ADL-01")
        (long,) = (one for one in stays if abs(one.started_at.timestamp() - at(9, 12) - lag_s) < 2)
        assert long.dwell_s is not None
        assert abs(long.dwell_s - 75 * 60) < 2
        # It was there for more than any rule of these bays allows, if one held.
        rule = world.delivery_bays[0]
        if DAY.isoweekday() in rule.enforced_days and rule.enforced_from.hour <= 9 and rule.enforced_until.hour >= 12:
            assert long.overstay_s is not None
            assert long.overstay_s > 0
        fluttering = sessions.of_place(connection, INSEE, "ADL-08", since=since, until=until)
        assert sum(at(9) <= one.started_at.timestamp() < at(9, 5) for one in fluttering) <= 1
        silent = sessions.of_place(connection, INSEE, "ADL-02", since=since, until=until)
        assert not [one for one in silent if at(7) < one.started_at.timestamp() < at(19)]
        late = sessions.of_place(connection, INSEE, "ADL-04", since=since, until=until)
        assert [one for one in late if at(9, 20) <= one.started_at.timestamp() < at(9, 21)], (
            "late words, in their place"
        )
        view = kerb_now(connection, INSEE, now=world.history_until, zone=PARIS)
        states = {place.place_id: view.standing(place).state for place in view.places}
        assert set(states.values()) <= set(BayState)
        assert BayState.FREE in states.values() or BayState.RULE_NOT_IN_FORCE in states.values()
