"""Whatever is told of devices, in whichever order, and whenever their readings come: each ends at its place.

The oracle knows hours instead of mountings: where each device was in each hour, and by which geometry.
"""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

import pytest

from storage import device_changes, devices
from storage.errors import ConflictError
from storage.model import DeviceStatus, Geometry
from tests.storage.registry import TELLING, collect, count, level, levels, message, replayed, told
from tests.storage.town import INSEE, NOON, Town

HOURS = 48
HOUR = timedelta(hours=1)
PLACES = ("COR-0002", "COR-0003", "STA-0001")
DEPTHS_MM = (1000, 1600, 2000)
DISTANCE_MM = 800

type Where = tuple[str, int] | None
"""A place with the bin's depth in millimetres."""


class Oracle:
    """Where each device was, hour by hour. The last hour stands for all that follow."""

    def __init__(self, euis: list[str]) -> None:
        self.hours: dict[str, list[Where]] = {eui: [None] * (HOURS + 1) for eui in euis}

    def stretch(self, eui: str, hour: int) -> range:
        """The hours from `hour` on in which nothing changed for the device."""
        of_device = self.hours[eui]
        end = hour
        while end <= HOURS and of_device[end] == of_device[hour]:
            end += 1
        return range(hour, end)

    def tell(self, eui: str, hour: int, where: Where) -> bool:
        """Put the device there as long as nothing else was told; False when another device is in the way."""
        hours = self.stretch(eui, hour)
        taken = {
            (other_hour, of_device[other_hour][0])  # type: ignore[index] # the condition looked
            for other, of_device in self.hours.items()
            for other_hour in hours
            if other != eui and of_device[other_hour] is not None
        }
        if where is not None and any((at, where[0]) in taken for at in hours):
            return False
        for at in hours:
            self.hours[eui][at] = where
        return True


@pytest.mark.parametrize("seed", range(6))
def test_every_reading_ends_at_the_place_where_its_device_was(town: Town, seed: int):
    connection = town.connection
    chance = random.Random(seed)
    euis = ["one", "two"]
    oracle = Oracle(euis)
    for eui in euis:
        device_changes.register(connection, INSEE, eui=eui, model="voirie-native", telling=TELLING)
    connection.commit()
    unheard = [(eui, hour) for eui in euis for hour in range(HOURS)]
    chance.shuffle(unheard)
    while unheard:
        batch, unheard = unheard[:16], unheard[16:]
        sent = [message(eui, level(NOON + hour * HOUR, DISTANCE_MM)) for eui, hour in batch]
        collect(connection, sent)
        for _ in range(3):
            eui, hour = chance.choice(euis), chance.randrange(HOURS)
            if chance.random() < 0.25 and oracle.hours[eui][hour] is not None:
                stock, at = DeviceStatus.IN_STOCK, NOON + hour * HOUR
                device_changes.put_away(connection, INSEE, eui, status=stock, at=at, telling=TELLING)
                connection.commit()
                assert oracle.tell(eui, hour, None)
                continue
            place, depth_mm = chance.choice(PLACES), chance.choice(DEPTHS_MM)
            if place == "STA-0001":
                depth_mm = 0
            geometry = Geometry(empty_distance_mm=depth_mm, full_distance_mm=0) if depth_mm else None
            try:
                told(connection, eui, place, NOON + hour * HOUR, geometry=geometry)
            except ConflictError:
                connection.rollback()
                assert not oracle.tell(eui, hour, (place, depth_mm)), "refused only what the other is in the way of"
            else:
                assert oracle.tell(eui, hour, (place, depth_mm))
        if chance.random() < 0.5:
            collect(connection, sent[: chance.randrange(16)])
    replayed(connection)

    moments = {(eui, hour): (eui, NOON + hour * HOUR) for eui in euis for hour in range(HOURS)}
    on_bins = {
        moment: (where[0], round(1 - DISTANCE_MM / where[1], 4))
        for (eui, hour), moment in moments.items()
        if (where := oracle.hours[eui][hour]) is not None and where[0] != "STA-0001"
    }
    assert levels(connection) == on_bins
    # A level says nothing of a space. What is on no bin is kept, aside or as the message that was refused for it.
    aside = connection.execute("SELECT eui, measured_at FROM displaced_reading JOIN device USING (device_id)")
    nowhere = set(moments.values()) - set(on_bins)
    kept_aside = set(aside.fetchall())
    assert kept_aside <= nowhere
    assert len(nowhere - kept_aside) <= count(connection, "refused_message WHERE resolved_at IS NULL")
    for eui in euis:
        spans = sorted((item.mounted_at, item.unmounted_at) for item in devices.one(connection, INSEE, eui).mountings)
        assert all(end is not None and end <= start for (_, end), (start, _) in pairwise(spans))
