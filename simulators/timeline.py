"""Everything the commune's sensors publish, in the order in which it reaches the broker, a few hours in memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from simulators.devices import em310_udl, tps110
from simulators.faults import FaultOptions
from simulators.messages import Publication, Row, Seen, Writer
from simulators.transmissions import BLOCK_S, MOST_REPEAT_S, ROW, RowKind, Rows, Transmissions
from simulators.weather import temperatures_c
from simulators.world import World
from storage.model import PlaceKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATENCY_S = 3


class Timeline:
    """The publications of a world under given faults. The same world and faults give the same publications."""

    def __init__(self, world: World, faults: FaultOptions) -> None:
        self._world = world
        self._faults = faults
        self._transmissions = Transmissions(world, faults)
        self._writer = Writer(world)
        self._bin_of = np.array([device.place_index for device in world.devices], dtype=np.int64)
        self._empty_mm = np.array([device.empty_distance_mm or 0 for device in world.devices], dtype=np.float64)
        self._full_mm = np.array([device.full_distance_mm or 0 for device in world.devices], dtype=np.float64)

    def publications(
        self, since: datetime, until: datetime | None = None, *, look_ahead_s: float = BLOCK_S
    ) -> Iterator[Publication]:
        """Yield what arrives in [since, until), in order of arrival; without `until`, for ever.

        A level is looked up at most `look_ahead_s` before the message arrives: live, that bounds how late an emptying
        shows. Splitting the time in two gives the same publications as asking once, but for emptyings in between.
        """
        for rows in self._in_order(_micros(since), None if until is None else _micros(until)):
            first = 0
            while first < len(rows):
                horizon_us = rows["arrives_us"][first] + int(look_ahead_s * 1e6)
                last = int(np.searchsorted(rows["arrives_us"], horizon_us, side="right"))
                yield from self._write(rows[first:last])
                first = last

    def estimate(self, since: datetime, until: datetime) -> int:
        """Return about how many publications arrive in [since, until)."""
        world, faults = self._world, self._faults
        since_s, until_s = int(since.timestamp()), int(until.timestamp())
        sensors = sum(device.place_kind is PlaceKind.BIN for device in world.devices)
        messages = sensors * (until_s - since_s) / 3600
        for truth in (world.bays_truth, world.spaces_truth):
            sessions = truth.sessions_until(until_s)
            messages += len(truth) * (until_s - since_s) / tps110.HEARTBEAT_S
            messages += sum(
                int(((moments >= since_s) & (moments < until_s)).sum())
                for moments in (sessions.arrive_s, sessions.depart_s)
            )
        return round(messages * ((1 - faults.drop_rate) * (1 + faults.repeat_rate) + faults.garbage_rate))

    def _in_order(self, since_us: int, until_us: int | None) -> Iterator[Rows]:
        """Yield the rows that arrive in [since, until), sorted by arrival, block by block; what is late waits."""
        start_us = _micros(self._world.start)
        latest_s = self._faults.longest_delay_s + MOST_REPEAT_S + _LATENCY_S
        number = max(0, (since_us - start_us - latest_s * 1_000_000) // (BLOCK_S * 1_000_000))
        waiting = np.zeros(0, dtype=ROW)
        while until_us is None or start_us + number * BLOCK_S * 1_000_000 < until_us or len(waiting):
            block_end_us = start_us + (number + 1) * BLOCK_S * 1_000_000
            rows = np.concatenate([waiting, self._transmissions.block(number)])
            rows = rows[np.argsort(rows["arrives_us"], kind="stable")]
            ready = int(np.searchsorted(rows["arrives_us"], block_end_us))
            rows, waiting = rows[:ready], rows[ready:]
            if until_us is not None:
                rows, waiting = (part[part["arrives_us"] < until_us] for part in (rows, waiting))
            yield rows[rows["arrives_us"] >= since_us]
            number += 1

    def _write(self, rows: Rows) -> Iterator[Publication]:
        """Look up the truth of the rows and write their messages."""
        at_s = rows["measured_us"] // 1_000_000
        columns = (
            self._distances_mm(rows, at_s).tolist(),
            self._batteries(rows, at_s).tolist(),
            temperatures_c(self._world.seed, at_s).tolist(),
        )
        for row, *seen in zip(rows.tolist(), *columns, strict=True):
            yield self._writer.write(Row(*row), Seen(*seen))

    def _distances_mm(self, rows: Rows, at_s: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return what the bins' sensors report, (n,); 0 for other rows."""
        distances = np.zeros(len(rows), dtype=np.int64)
        fills = np.flatnonzero(rows["kind"] == RowKind.FILL)
        if len(fills) == 0:
            return distances
        of_fills = rows[fills]
        device, ail = of_fills["device"], self._transmissions.ailments
        from_s, until_s = ail.frozen_from_s[device], ail.frozen_until_s[device]
        frozen = (at_s[fills] >= from_s) & (at_s[fills] < until_s)
        fraction = self._world.fill.fractions(self._bin_of[device], np.where(frozen, from_s, at_s[fills]))
        empty_mm, full_mm = self._empty_mm[device], self._full_mm[device]
        true_mm = empty_mm - fraction * (empty_mm - full_mm) + np.where(frozen, 0.0, of_fills["noise_mm"])
        heard = em310_udl.measured_mm(true_mm, of_fills["echo_luck"])
        distances[fills] = np.where(~frozen & (of_fills["wild_mm"] >= 0), of_fills["wild_mm"], heard)
        return distances

    def _batteries(self, rows: Rows, at_s: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the batteries' charge in percent, (n,)."""
        devices = self._world.devices
        first = np.array([device.battery_percent for device in devices])[rows["device"]]
        drain = np.array([device.drain_percent_a_day for device in devices])[rows["device"]]
        days = (at_s - int(self._world.start.timestamp())) / 86400
        percent: NDArray[np.int64] = np.clip(np.rint(first - drain * days), 1, 100).astype(np.int64)
        return percent


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)
