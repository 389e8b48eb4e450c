"""What everybody asks for in a busy hour."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import uuid4

from benchmarks.load_clients import Ask, Askers
from benchmarks.load_town import Size, codes, corner
from storage.model import Role

BUSY_HOUR = {
    # Two open maps a commune of the first eleven, each loaded anew every six seconds: three lists.
    "map_bins": 3.7,
    "map_bays": 3.7,
    "map_spaces": 3.7,
    # Two officers a commune who look every five seconds.
    "checks": 4.4,
    # Three drivers a commune: the whole round now and then, what changed often, a bin emptied every ten seconds.
    "round": 0.7,
    "round_known": 3.3,
    "emptied": 3.3,
    # The public.
    "guidance": 20.0,
    "messages": 100.0,
}
"""Requests and messages a second."""


def path(insee: str, rest: str) -> str:
    """Return the path of a commune's route."""
    return f"/api/v1/communes/{insee}/{rest}"


def askers(
    port: int, size: Size, keys: Mapping[str, Mapping[Role, Mapping[str, str]]], *, times: float, stop: threading.Event
) -> dict[str, Askers]:
    """Return who asks for what, `times` busy hours at once; `keys`: headers by commune and role."""
    known = codes(size)

    def at(number: int) -> str:
        return known[number % len(known)]

    def get(rest: Callable[[str, int], str], role: Role | None) -> Callable[[int], Ask]:
        def ask(number: int) -> Ask:
            insee = at(number)
            headers = {} if role is None else keys[insee][role]
            return Ask(path=path(insee, rest(insee, number)), headers=headers)

        return ask

    def vehicle(number: int) -> str:
        return f"BOM-{number // len(known) % 3 + 1}"

    def emptied(number: int) -> Ask:
        insee = at(number)
        event = {
            "event_id": str(uuid4()), "place_id": f"COR-{number % size.bins:04d}", "kind": "emptied",
            "happened_at": datetime.now(UTC).isoformat(), "found_fraction": 0.75,
        }  # fmt: skip
        headers = keys[insee][Role.DRIVER]
        return Ask(path=path(insee, "service-events"), method="POST", body={"events": [event]}, headers=headers)

    def guidance(insee: str, number: int) -> str:
        lon, lat = corner(insee)
        step = number % 400
        where = f"lon={lon + step % 20 * 0.0015:.4f}&lat={lat + step // 20 * 0.0015:.4f}"
        return f"guidance?{where}&at={number % 4 * 5}&radius_m=400"

    asks = {
        "map_bins": get(lambda *_: "bins", Role.DISPATCHER),
        "map_bays": get(lambda *_: "delivery-bays", Role.PARKING_MANAGER),
        "map_spaces": get(lambda *_: "parking", Role.PARKING_MANAGER),
        "checks": get(lambda *_: "checks", Role.OFFICER),
        "round": get(lambda _, number: f"rounds/{vehicle(number)}", Role.DRIVER),
        "round_known": get(lambda _, number: f"rounds/{vehicle(number)}?known_version=1", Role.DRIVER),
        "emptied": emptied,
        "guidance": get(guidance, None),
    }
    return {name: Askers(port, rate_per_s=BUSY_HOUR[name] * times, ask=ask, stop=stop) for name, ask in asks.items()}
