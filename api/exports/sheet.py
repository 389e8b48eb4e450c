"""A round on paper: an HTML page that stands alone, laid out for A4, its map drawn in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.exports.contents import RoundsFile, expected_fill, numbers
from api.exports.sketch import Sketch, sketch
from api.phrases import Catalogue
from api.phrases.numbers import day, decimal, duration
from storage.model import BinRule, PlannedRoute, PlannedStop, StopKind

_WEB = files("api") / "web"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A line of the sheet: a stop."""

    kind: str
    number: int | None
    time: str
    until: str
    name: str
    street: str
    fill: str
    load: str
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A round's part of the sheet."""

    vehicle: str
    crew: str
    leaves: str
    back: str
    totals: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    map: Sketch | None


def sheet(content: RoundsFile, *, phrases: Catalogue, streets: Iterable[dict[str, Any]]) -> bytes:
    """Return the rounds as one HTML document, UTF-8, each on pages of its own, that asks for nothing else."""
    drawn = list(streets)
    page = _templates().get_template("sheet.html")
    text = page.render(
        style=style(),
        words=phrases.labels,
        language=phrases.language.value,
        commune=content.commune.name,
        day=day(content.plan.service_date, phrases),
        made=content.local(content.plan.made_at).strftime("%d/%m/%Y %H:%M"),
        plan_id=content.plan.plan_id,
        on_streets=content.on_streets,
        streets_drawn=bool(drawn),
        pages=[_page(content, route, phrases, drawn) for route in content.routes],
    )
    return text.encode()


@cache
def style() -> str:
    """Return the sheet's style sheet, which stands in the page itself."""
    return (_WEB / "static" / "css" / "sheet.css").read_text(encoding="utf-8")


@cache
def content_security_policy() -> str:
    """Return the policy that a sheet is served with: its own style, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _templates() -> Environment:
    return Environment(loader=FileSystemLoader(str(_WEB / "templates")), autoescape=True, undefined=StrictUndefined)


def _page(content: RoundsFile, route: PlannedRoute, phrases: Catalogue, streets: list[dict[str, Any]]) -> Page:
    rule = content.vehicle_rules.get(route.vehicle_id)
    number_of = numbers(route)
    words = phrases.labels
    # What the chef changed for the day comes before what is the rule.
    people = content.plan.inputs.get("crews", {}).get(route.vehicle_id, None if rule is None else rule.crew)
    crew = "" if people is None else words["people"].format(count=people)
    known = "" if rule is None or not rule.sectors else ", ".join(rule.sectors)
    return Page(
        vehicle=content.vehicle(route),
        crew=" · ".join(part for part in (crew, known) if part),
        leaves=content.local(route.start_at).strftime("%H:%M"),
        back=content.local(route.end_at).strftime("%H:%M"),
        totals=_totals(route, phrases),
        rows=tuple(_row(content, stop, number_of.get(stop.stop_index), phrases) for stop in route.stops),
        map=sketch(route, streets),
    )


def _totals(route: PlannedRoute, phrases: Catalogue) -> tuple[tuple[str, str], ...]:
    words = phrases.labels
    kinds = [stop.kind for stop in route.stops]
    rest_s = sum(
        (stop.depart_at - stop.arrive_at).total_seconds() for stop in route.stops if stop.kind is StopKind.BREAK
    )
    litres, kilograms = (collected(route, name) for name in ("load_l", "load_kg"))
    figures = [
        (words["bins"], str(kinds.count(StopKind.BIN))),
        (words["distance"], f"{decimal(route.distance_m / 1000, phrases, digits=1)} km"),
        (words["time"], duration(route.duration_s)),
        (words["volume"], f"{round(litres)} l"),
        (words["weight"], f"{round(kilograms)} kg" if kilograms else ""),
        (words["disposal_trips"], str(kinds.count(StopKind.DISPOSAL))),
        (words["break"], duration(rest_s) if rest_s else words["none"]),
    ]
    return tuple((name, value) for name, value in figures if value)


def collected(route: PlannedRoute, name: str) -> float:
    """Return how much a round takes in: the sum by which the load (`load_l` or `load_kg`) grows at bins."""
    before, total = 0.0, 0.0
    for stop in route.stops:
        load = getattr(stop, name)
        if stop.kind is StopKind.BIN:
            total += load - before
        before = load
    return total


def _row(content: RoundsFile, stop: PlannedStop, number: int | None, phrases: Catalogue) -> Row:
    fill = expected_fill(stop)
    rule = content.bin_rules.get(stop.place_id or "")
    kind = phrases.stops[stop.kind]
    at_bin = stop.kind is StopKind.BIN
    return Row(
        kind=stop.kind.value,
        number=number,
        time=content.local(stop.arrive_at).strftime("%H:%M"),
        until="" if at_bin or stop.depart_at == stop.arrive_at else content.local(stop.depart_at).strftime("%H:%M"),
        name=stop.place_id or kind
        if at_bin
        else f"{kind} {'' if stop.kind is StopKind.BREAK else stop.place_id}".strip(),
        street=content.street(stop) or "",
        fill="" if fill is None else f"{round(fill * 100)}\N{NO-BREAK SPACE}%",
        load=_load(stop),
        notes=() if rule is None else notes(rule, phrases),
    )


def _load(stop: PlannedStop) -> str:
    """Return the load on leaving a stop; kilograms only where weights are told."""
    litres, kilograms = (f"{round(load)}\N{NO-BREAK SPACE}" for load in (stop.load_l, stop.load_kg))
    return f"{litres}l, {kilograms}kg" if stop.load_kg else f"{litres}l"


def notes(rule: BinRule, phrases: Catalogue) -> tuple[str, ...]:
    """Return what a crew has to know of a bin: hours, width, people, vehicles."""
    words = phrases.labels
    told = [words["hours"].format(opens=f"{span.opens:%H:%M}", closes=f"{span.closes:%H:%M}") for span in rule.windows]
    if rule.max_width_cm is not None:
        told.append(words["width"].format(metres=decimal(rule.max_width_cm / 100, phrases, digits=2)))
    if rule.crew > 1:
        told.append(words["people"].format(count=rule.crew))
    if rule.vehicle_kinds:
        told.append(words["kinds"].format(kinds=", ".join(rule.vehicle_kinds)))
    return tuple(told)
