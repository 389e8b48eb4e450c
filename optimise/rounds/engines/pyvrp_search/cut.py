"""A part of the problem as a problem of its own: some of the clients, some of the vehicles.

What a search does in one iteration grows with the whole problem, what it finds does not: in parts it looks at more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyvrp


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Part:
    """Part of the data: `clients` and `kinds` are its clients' and vehicle types' numbers in the whole."""

    data: pyvrp.ProblemData
    clients: tuple[int, ...]
    kinds: tuple[int, ...]


def _part(matrix: Any, grid: Any) -> Any:
    """Return rows and columns of a matrix; PyVRP's own types for its arrays are narrower than numpy's."""
    return matrix[grid]


def cut(data: pyvrp.ProblemData, *, clients: Sequence[int], vehicles: Sequence[int]) -> Part:
    """Return the part with these clients (of a group all or none) and so many vehicles of each type."""
    chosen = sorted(clients)
    depots = data.depots()
    locations = [depot.location for depot in depots] + [data.client(client).location for client in chosen]
    kept = np.array(locations, dtype=np.int64)
    grid = np.ix_(kept, kept)
    kinds = [kind for kind, count in enumerate(vehicles) if count]
    types = [data.vehicle_type(kind) for kind in kinds]
    profiles = sorted({one.profile for one in types})
    profile_of = {profile: number for number, profile in enumerate(profiles)}

    groups: dict[int, list[int]] = {}
    parts = []
    for number, client in enumerate(chosen):
        one = data.client(client)
        if one.group is not None:
            groups.setdefault(one.group, []).append(number)
        parts.append(
            pyvrp.Client(
                location=len(depots) + number,
                delivery=one.delivery,
                pickup=one.pickup,
                service_duration=one.service_duration,
                tw_early=one.tw_early,
                tw_late=one.tw_late,
                release_time=one.release_time,
                prize=one.prize,
                required=one.required,
                group=None if one.group is None else list(groups).index(one.group),
            )
        )
    return Part(
        data=pyvrp.ProblemData(
            locations=[pyvrp.Location(0, 0) for _ in locations],
            clients=parts,
            depots=[
                pyvrp.Depot(
                    location=number, tw_early=one.tw_early, tw_late=one.tw_late, service_duration=one.service_duration
                )
                for number, one in enumerate(depots)
            ],
            vehicle_types=[
                one.replace(num_available=vehicles[kind], profile=profile_of[one.profile])
                for kind, one in zip(kinds, types, strict=True)
            ],
            distance_matrices=[_part(data.distance_matrix(profile), grid) for profile in profiles],
            duration_matrices=[_part(data.duration_matrix(profile), grid) for profile in profiles],
            groups=[
                pyvrp.ClientGroup(members, required=data.group(group).required) for group, members in groups.items()
            ],
        ),
        clients=tuple(chosen),
        kinds=tuple(kinds),
    )
