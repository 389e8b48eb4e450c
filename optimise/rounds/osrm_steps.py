"""OSRM's legs as a way: one line of points, and steps that know where on it they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from optimise.rounds.great_circle import compass_point
from optimise.rounds.travel import Leg, Point, Way
from storage.model import Manoeuvre, Modifier, Step

# OSRM's own names are ours with a space for the underline, but for these.
_MANOEUVRES = {
    "rotary": Manoeuvre.ROUNDABOUT,
    "exit rotary": Manoeuvre.EXIT_ROUNDABOUT,
    "notification": Manoeuvre.CONTINUE,
    "use lane": Manoeuvre.CONTINUE,
}
_TURNED_ROUND_DEG = 150
_HALF_TURN_DEG = 180


def driven_way(legs: Iterable[Any]) -> Way:
    """Return the way that OSRM answered with `steps` and geometries as GeoJSON."""
    line: list[Point] = []
    found = []
    heading: float | None = None
    for leg in legs:
        steps = []
        for told in leg["steps"]:
            at = _draw(line, told["geometry"]["coordinates"])
            manoeuvre = told["maneuver"]
            steps.append(_step(told, manoeuvre, at, came=heading))
            heading = float(manoeuvre["bearing_before"])
        found.append(Leg(distance_m=float(leg["distance"]), point_index=len(line) - 1, steps=tuple(steps)))
    return Way(geometry=tuple(line), legs=tuple(found))


def _draw(line: list[Point], points: Iterable[Any]) -> int:
    """Lengthen the line by a step's points, without those where it already is; return where the step begins."""
    begins: int | None = None
    for point in points:
        place = (float(point[0]), float(point[1]))
        if not line or line[-1] != place:
            line.append(place)
        if begins is None:
            begins = len(line) - 1
    return len(line) - 1 if begins is None else begins


def _step(told: Any, manoeuvre: Any, at: int, *, came: float | None) -> Step:
    kind = str(manoeuvre["type"])
    name = _MANOEUVRES.get(kind) or _known(kind.replace(" ", "_"))
    street = str(told["name"]) or (str(told["ref"]) if "ref" in told else "")
    return Step(
        manoeuvre=name,
        modifier=_modifier(name, manoeuvre, came),
        street=street or None,
        distance_m=round(float(told["distance"]), 1),
        duration_s=round(float(told["duration"]), 1),
        exit=int(manoeuvre["exit"]) if "exit" in manoeuvre else None,
        point_index=at,
    )


def _known(kind: str) -> Manoeuvre:
    """Return a manoeuvre by its name; OSRM says that clients take those that they do not know for a turn."""
    try:
        return Manoeuvre(kind)
    except ValueError:
        return Manoeuvre.TURN


def _modifier(name: Manoeuvre, manoeuvre: Any, came: float | None) -> Modifier | None:
    if name is Manoeuvre.DEPART:
        leaves = float(manoeuvre["bearing_after"])
        # Who stopped facing one way and leaves the other way has to be told to turn round.
        turned = 0.0 if came is None else abs((leaves - came + _HALF_TURN_DEG) % 360 - _HALF_TURN_DEG)
        return Modifier.UTURN if turned > _TURNED_ROUND_DEG else compass_point(leaves)
    if "modifier" not in manoeuvre:
        return None
    return Modifier(str(manoeuvre["modifier"]).replace(" ", "_"))
