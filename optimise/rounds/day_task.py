"""A day's problem with what lies around it: travel measured for each body of vehicle, places out of reach kept out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from optimise.rounds import explain
from optimise.rounds.day import Calendar, DayOptions, Fleet, day_problem
from optimise.rounds.leaving import usual_detours_eur
from optimise.rounds.outlooks import Outlooks
from optimise.rounds.policy import Decision, PolicyOptions, decide
from optimise.rounds.problem import Flags, Problem
from optimise.rounds.travel import NO_WAY, Matrices, Travel, VehicleBody, unreachable
from storage.model import Bin, Reason, RoundRules

_OUT_OF_REACH = 10**7
"""Seconds and metres to a place that a vehicle cannot reach: more than any day has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """What storage holds for the day."""

    bins: list[Bin]
    fleet: Fleet
    calendar: Calendar
    outlooks: Outlooks
    rules: RoundRules


@dataclass(frozen=True, kw_only=True, slots=True)
class Measuring:
    """How places are reached: on their side of the street, at most so far from one; `travels` by vehicles' bodies."""

    travels: Mapping[VehicleBody, Travel]
    kerb_side: bool
    max_snap_m: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """The problem: the bins it holds, their decisions, `kerb` by profile and place, and the bins kept out of it."""

    problem: Problem
    bins: list[Bin]
    decisions: list[Decision]
    travels: tuple[Travel, ...]
    kerb: tuple[tuple[bool, ...], ...]
    kept_out: dict[str, Reason]


def bodies(fleet: Fleet, rules: RoundRules) -> tuple[VehicleBody, ...]:
    """Return the bodies of the fleet's vehicles, each once; the first is profile 0."""
    told = _body_of(rules)
    return tuple(dict.fromkeys(told.get(vehicle.vehicle_id, VehicleBody()) for vehicle in fleet.vehicles))


def _body_of(rules: RoundRules) -> dict[str, VehicleBody]:
    return {rule.vehicle_id: VehicleBody.of(rule) for rule in rules.vehicles}


def day_task(loaded: Loaded, measuring: Measuring, *, policy: PolicyOptions, options: DayOptions) -> Task:
    """Measure travel, keep out the bins without forecast or way, and state the problem of the others."""
    outlooks = loaded.outlooks.of_bin
    known = [item for item in loaded.bins if item.place_id in outlooks]
    kept_out = {item.place_id: explain.no_forecast() for item in loaded.bins if item.place_id not in outlooks}
    anchors = loaded.fleet.anchors
    everywhere = [*anchors, *known]
    points = [(place.longitude_deg, place.latitude_deg) for place in everywhere]
    kerb = [False] * len(anchors) + [measuring.kerb_side] * len(known)
    profiles = bodies(loaded.fleet, loaded.rules)
    travels = tuple(measuring.travels[body] for body in profiles)
    measured = [travel.matrices(points, kerb=kerb) for travel in travels]
    cut_off = [
        unreachable(
            matrices,
            anchors=range(len(anchors)),
            max_snap_m=measuring.max_snap_m,
            names=[place.place_id for place in everywhere],
        )
        for matrices in measured
    ]
    nobody = [row for row in range(len(everywhere)) if all(row in cut for cut in cut_off)]
    for row in nobody:
        kept_out[everywhere[row].place_id] = explain.cut_off(cut_off[0][row], snap_m=measured[0].snap_m[row])
    gone = set(nobody)
    rows = [row for row in range(len(everywhere)) if row not in gone]
    told = _body_of(loaded.rules)
    profile_of = {v.vehicle_id: profiles.index(told.get(v.vehicle_id, VehicleBody())) for v in loaded.fleet.vehicles}
    served = [everywhere[row] for row in rows[len(anchors) :]]
    bins = [item for item in served if isinstance(item, Bin)]
    reached = [_reached(matrices.of(rows)) for matrices in measured]
    decisions = decide(
        [outlooks[item.place_id] for item in bins],
        detour_eur=usual_detours_eur(
            reached[0].of(range(len(anchors), len(rows))),
            service_s=np.array([item.service_s for item in bins]),
            prices=options.prices.prices(),
        ),
        options=policy,
        must=options.must_serve,
    )
    problem = day_problem(
        bins=bins,
        decisions=decisions,
        fleet=loaded.fleet,
        matrices=reached,
        calendar=loaded.calendar,
        options=options,
        rules=loaded.rules,
        profile_of=profile_of,
        barred=_barred(rows[len(anchors) :], [profile_of[v.vehicle_id] for v in loaded.fleet.vehicles], cut_off),
    )
    kerbs = tuple(matrices.of(rows).kerb for matrices in measured)
    return Task(problem=problem, bins=bins, decisions=decisions, travels=travels, kerb=kerbs, kept_out=kept_out)


def _reached(matrices: Matrices) -> Matrices:
    """Return matrices in which what cannot be reached is far away."""
    return Matrices(
        duration_s=np.where(matrices.duration_s == NO_WAY, _OUT_OF_REACH, matrices.duration_s),
        distance_m=np.where(matrices.distance_m == NO_WAY, _OUT_OF_REACH, matrices.distance_m),
        snap_m=matrices.snap_m,
        kerb=matrices.kerb,
    )


def _barred(bin_rows: Sequence[int], profiles: Sequence[int], cut_off: Sequence[Mapping[int, object]]) -> Flags:
    """Return which vehicles have no way to which bins, (bins, vehicles)."""
    return np.array([[row in cut_off[profile] for profile in profiles] for row in bin_rows], dtype=np.bool_).reshape(
        len(bin_rows), len(profiles)
    )
