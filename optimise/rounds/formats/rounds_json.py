"""Our own JSON for a day's rounds, read and written; docs/rounds-problem.md describes it with its units.

Money is in euros, with up to six decimals (a millionth of a euro is the problem's unit); prices of distance and time
are per kilometre and per hour. All else is in whole seconds, metres, litres, kilograms and centimetres.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from optimise.rounds.formats.json_lines import line_of_offset, line_of_path
from optimise.rounds.formats.json_shape import (
    Disposal,
    Document,
    Factor,
    Money,
    Preferences,
    Span,
    Stop,
    Travel,
    Vehicle,
)
from optimise.rounds.formats.task import PLACES_AT_MOST, Task, Unit
from optimise.rounds.parts import NO_END_S, Prices, Traffic, Wishes
from optimise.rounds.problem import EURO, DayDisposal, DayVehicle, Integers, Problem, TravelProfile, Window
from storage.errors import InputError

_METRES_A_KM = 1000
_SECONDS_AN_HOUR = 3600


def looks_like(text: str) -> bool:
    """Whether the text is JSON at all."""
    return text.lstrip().startswith("{")


def read(text: str, source: str) -> Task:
    """Return the task that the text states. Raises InputError with the line and the reason."""
    try:
        document = msgspec.json.decode(text, type=Document)
    except msgspec.ValidationError as error:
        told, _, path = str(error).partition(" - at `")
        line = line_of_path(text, path.rstrip("`"))
        at = f" ({path.rstrip('`')})" if path else ""
        raise InputError(f"{source}: line {line}: {told[:1].lower()}{told[1:]}{at}") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        offset = re.search(r"byte (\d+)", str(error))
        line = line_of_offset(text, int(offset.group(1)) if offset else 0)
        raise InputError(f"{source}: line {line}: no JSON: {error}") from error
    try:
        return Task(
            problem=_problem(document, source, text),
            name=document.name or source,
            file_format="voirie json",
            unit=Unit(name="EUR", divisor=EURO),
            positions=None if document.places is None else tuple(document.places),
        )
    except InputError as error:
        told = str(error)
        raise InputError(told if told.startswith(source) else f"{source}: {_where(text, told)}{told}") from error


def _where(text: str, told: str) -> str:
    """Return the line of the stop or vehicle that a broken rule names."""
    named = re.match(r"(stop|vehicle|disposal site) (\S+):", told)
    if named is None:
        return ""
    at = re.search(r'"id"\s*:\s*"?' + re.escape(named.group(2)) + r'"?\s*[,}\n]', text)
    return "" if at is None else f"line {text.count(chr(10), 0, at.start()) + 1}: "


def _problem(document: Document, source: str, text: str) -> Problem:
    stops, vehicles = document.stops, document.vehicles
    if not document.travel:
        raise InputError(f"{source}: line {line_of_path(text, '$.travel')}: expected travel matrices, got none")
    size = len(document.travel[0].duration_s)
    if size > PLACES_AT_MOST:
        line = line_of_path(text, "$.travel")
        raise InputError(f"{source}: line {line}: expected at most {PLACES_AT_MOST} places, got {size}")
    if document.places is not None and len(document.places) != size:
        line = line_of_path(text, "$.places")
        raise InputError(f"{source}: line {line}: expected {size} places as in travel, got {len(document.places)}")
    index_of = {vehicle.id: number for number, vehicle in enumerate(vehicles)}
    barred = np.zeros((len(stops), len(vehicles)), dtype=np.bool_)
    for number, stop in enumerate(stops):
        for vehicle_id in stop.barred:
            if vehicle_id not in index_of:
                line = line_of_path(text, f"$.stops[{number}].barred")
                raise InputError(f"{source}: line {line}: there is no vehicle {vehicle_id!r}")
            barred[number, index_of[vehicle_id]] = True
    first, *others = [
        (_matrix(one.duration_s, size, source=source, text=text, number=number, name="duration_s"),
         _matrix(one.distance_m, size, source=source, text=text, number=number, name="distance_m"))
        for number, one in enumerate(document.travel)
    ]  # fmt: skip
    return Problem(
        stop_ids=tuple(stop.id for stop in stops),
        location=_integers([stop.place for stop in stops]),
        demand_l=_integers([stop.volume_l for stop in stops]),
        demand_kg=_integers([stop.weight_kg for stop in stops]),
        service_s=_integers([stop.service_s for stop in stops]),
        prize=_integers([_micros(stop.prize_eur) for stop in stops]),
        must=np.array([stop.must for stop in stops], dtype=np.bool_),
        must_not=np.array([stop.must_not for stop in stops], dtype=np.bool_),
        windows=tuple(_windows(stop.windows) for stop in stops),
        release_s=_integers([stop.release_s for stop in stops]),
        max_width_cm=_integers([stop.max_width_cm for stop in stops]),
        crew=_integers([stop.crew for stop in stops]),
        kinds=tuple(frozenset(stop.kinds) for stop in stops),
        barred=barred,
        sector=_integers([-1 if stop.sector is None else stop.sector for stop in stops]),
        vehicles=tuple(_vehicle(vehicle) for vehicle in vehicles),
        disposals=tuple(
            DayDisposal(place_id=one.id, location=one.place, unload_s=one.unload_s, windows=_windows(one.windows))
            for one in document.disposals
        ),
        duration_s=first[0],
        distance_m=first[1],
        profiles=tuple(TravelProfile(duration_s=a, distance_m=b) for a, b in others),
        prices=_prices(document.prices),
        traffic=None
        if not document.traffic
        else Traffic(
            from_s=tuple(one.from_s for one in document.traffic),
            percent=tuple(one.percent for one in document.traffic),
        ),
        wishes=Wishes(
            per_longest_second=_rate(document.wishes.longest_hour_eur, _SECONDS_AN_HOUR),
            per_split=_micros(document.wishes.split_eur),
            per_unfamiliar_stop=_micros(document.wishes.unfamiliar_stop_eur),
        ),
    )


def _integers(values: Sequence[int]) -> Integers:
    return np.array(values, dtype=np.int64)


def _matrix(rows: list[list[int]], size: int, *, source: str, text: str, number: int, name: str) -> Integers:
    for at, row in enumerate(rows):
        if len(row) != size or len(rows) != size:
            line = line_of_path(text, f"$.travel[{number}].{name}[{at}]")
            raise InputError(f"{source}: line {line}: expected {size} x {size} values of {name}, got {len(row)}")
    return np.array(rows, dtype=np.int64).reshape(len(rows), -1)


def _micros(euros: float) -> int:
    return round(euros * EURO)


def _rate(euros: float, per: int) -> int:
    return round(euros * EURO / per)


def _prices(money: Money) -> Prices:
    return Prices(
        per_metre=_rate(money.km_eur, _METRES_A_KM),
        per_second=_rate(money.hour_eur, _SECONDS_AN_HOUR),
        per_vehicle=_micros(money.vehicle_eur),
        per_overtime_second=_rate(money.overtime_hour_eur, _SECONDS_AN_HOUR),
    )


def _windows(spans: list[Span]) -> tuple[Window, ...]:
    return tuple(Window(from_s=span.from_s, until_s=span.until_s) for span in spans)


def _vehicle(one: Vehicle) -> DayVehicle:
    return DayVehicle(
        vehicle_id=one.id,
        capacity_l=one.capacity_l,
        capacity_kg=one.capacity_kg,
        depot=one.depot,
        end_depot=one.end_depot,
        shift_from_s=one.shift_from_s,
        shift_until_s=NO_END_S if one.shift_until_s is None else one.shift_until_s,
        overtime_until_s=one.overtime_until_s,
        break_s=one.break_s,
        break_from_s=one.break_from_s,
        break_until_s=one.break_until_s,
        width_cm=one.width_cm,
        kind=one.kind,
        crew=one.crew,
        range_m=one.range_m,
        profile=one.profile,
        prices=None if one.prices is None else _prices(one.prices),
        unloadings_at_most=one.unloadings_at_most,
        day_l=one.day_l,
        day_stops=one.day_stops,
        home_empty=one.home_empty,
        sectors=frozenset(one.sectors),
    )


def written(problem: Problem, *, name: str, places: Sequence[tuple[float, float]] | None = None) -> str:
    """Return the JSON of a problem, which `read` reads as the same problem."""
    document = Document(
        name=name,
        places=None if places is None else list(places),
        stops=[_told_stop(problem, stop) for stop in range(len(problem.stop_ids))],
        vehicles=[_told_vehicle(who) for who in problem.vehicles],
        disposals=[
            Disposal(id=one.place_id, place=one.location, unload_s=one.unload_s, windows=_spans(one.windows))
            for one in problem.disposals
        ],
        travel=[
            Travel(duration_s=travel.duration_s.tolist(), distance_m=travel.distance_m.tolist())
            for travel in _travels(problem)
        ],
        prices=_money(problem.prices),
        traffic=[]
        if problem.traffic is None
        else [
            Factor(from_s=a, percent=b) for a, b in zip(problem.traffic.from_s, problem.traffic.percent, strict=True)
        ],
        wishes=Preferences(
            longest_hour_eur=problem.wishes.per_longest_second * _SECONDS_AN_HOUR / EURO,
            split_eur=problem.wishes.per_split / EURO,
            unfamiliar_stop_eur=problem.wishes.per_unfamiliar_stop / EURO,
        ),
    )
    return msgspec.json.encode(document).decode()


def _travels(problem: Problem) -> tuple[Problem | TravelProfile, ...]:
    return (problem, *problem.profiles)


def _money(prices: Prices) -> Money:
    return Money(
        km_eur=prices.per_metre * _METRES_A_KM / EURO,
        hour_eur=prices.per_second * _SECONDS_AN_HOUR / EURO,
        vehicle_eur=prices.per_vehicle / EURO,
        overtime_hour_eur=prices.per_overtime_second * _SECONDS_AN_HOUR / EURO,
    )


def _spans(windows: Sequence[Window]) -> list[Span]:
    return [Span(from_s=window.from_s, until_s=window.until_s) for window in windows]


def _told_stop(problem: Problem, stop: int) -> Stop:
    sector = int(problem.sector[stop])
    return Stop(
        id=problem.stop_ids[stop],
        place=int(problem.location[stop]),
        volume_l=int(problem.demand_l[stop]),
        weight_kg=int(problem.demand_kg[stop]),
        service_s=int(problem.service_s[stop]),
        prize_eur=int(problem.prize[stop]) / EURO,
        must=bool(problem.must[stop]),
        must_not=bool(problem.must_not[stop]),
        windows=_spans(problem.windows[stop]),
        release_s=int(problem.release_s[stop]),
        max_width_cm=int(problem.max_width_cm[stop]),
        crew=int(problem.crew[stop]),
        kinds=sorted(problem.kinds[stop]),
        barred=[problem.vehicles[v].vehicle_id for v in np.flatnonzero(problem.barred[stop]).tolist()],
        sector=None if sector < 0 else sector,
    )


def _told_vehicle(who: DayVehicle) -> Vehicle:
    said: dict[str, Any] = {
        name: getattr(who, name)
        for name in (
            "capacity_l", "capacity_kg", "depot", "end_depot", "shift_from_s", "overtime_until_s", "break_s",
            "break_from_s", "break_until_s", "width_cm", "kind", "crew", "range_m", "profile", "unloadings_at_most",
            "day_l", "day_stops", "home_empty",
        )
    }  # fmt: skip
    return Vehicle(
        id=who.vehicle_id,
        shift_until_s=None if who.shift_until_s == NO_END_S else who.shift_until_s,
        prices=None if who.prices is None else _money(who.prices),
        sectors=sorted(who.sectors),
        **said,
    )
