"""The report's maps: how wrong the forecast is at each bin, and where to put the next sensors."""

from __future__ import annotations

from itertools import pairwise

from markupsafe import Markup

from cli.report import words
from cli.report.ground import Ground
from cli.report.svg import mark, picture
from optimise.fill.report.whole import Report

CLASSES = (5.0, 10.0, 15.0, 20.0)
"""Errors in points at which the colour changes."""
_SCALES_M = (20, 50, 100, 200, 500, 1000, 2000)


def error_class(error: float) -> int:
    """Return 0 to 4, the colour of an error in points."""
    return sum(error >= limit for limit in CLASSES)


def legend() -> list[tuple[int, str]]:
    """Return the colours with the errors that they stand for."""
    first, last = f"moins de {words.number(CLASSES[0])}", f"{words.number(CLASSES[-1])} et plus"
    between = [f"{words.number(low)} à {words.number(high)}" for low, high in pairwise(CLASSES)]
    return list(enumerate([first, *between, last]))


def error_map(report: Report, ground: Ground) -> Markup:
    """Draw every bin: a large dot with the error measured where a sensor tells it, else a small one, as expected."""
    measured = {one.row: one for one in report.errors}
    marks = []
    for row, item in enumerate(report.data.bins):
        if row not in measured:
            error = float(report.expected_error[row])
            told = f"{_named(item.place_id, item.street)} : sans essai, erreur attendue {words.number(error)} points"
            marks.append(
                spot_mark(ground.at(item.longitude_deg, item.latitude_deg), f"expected e{error_class(error)}", 5, told)
            )
    for one in reversed(report.errors):  # the least error last would hide the worst
        item = report.data.bins[one.row]
        told = (
            f"{_named(item.place_id, item.street)} : erreur {words.number(one.mae, 1)} points sur "
            f"{words.count(one.n, 'essai', 'essais')}"
        )
        marks.append(
            spot_mark(ground.at(item.longitude_deg, item.latitude_deg), f"tried e{error_class(one.mae)}", 11, told)
        )
    counts = [sum(error_class(one.mae) == name for one in report.errors) for name, _ in legend()]
    told = (
        "Carte des corbeilles essayées, par erreur moyenne : "
        + ", ".join(f"{text} points : {number}" for (_, text), number in zip(legend(), counts, strict=True))
        + f". Les {len(report.data.bins) - len(measured)} autres corbeilles sont en petit, selon l'erreur attendue."
    )
    return draw_map("fig-map", "Où la prévision se trompe", told, ground, marks)


def sensor_map(report: Report, ground: Ground) -> Markup:
    """Draw the sensors that there are, and the advised ones with their rank."""
    marks = []
    sensed = report.data.has_sensor
    for has_sensor, style, size in ((False, "plain", 4), (True, "sensor", 7)):
        for row, item in enumerate(report.data.bins):
            if bool(sensed[row]) is has_sensor:
                where = ground.at(item.longitude_deg, item.latitude_deg)
                marks.append(spot_mark(where, style, size, _named(item.place_id, item.street)))
    said: list[str] = []
    for rank, placed in reversed(list(enumerate(report.advice.placed, start=1))):
        item = report.data.bins[placed.row]
        x, y = ground.at(item.longitude_deg, item.latitude_deg)
        name = _named(item.place_id, item.street)
        circle = mark('<circle cx="{}" cy="{}" r="19"/>', x, y)
        number = mark('<text x="{}" y="{}">{}</text>', x, y + 7.5, rank)
        marks.append(mark('<g class="advised">{}{}<title>{}</title></g>', circle, number, f"{rank}. {name}"))
        said.insert(0, f"{rank} : {name}")
    told = f"{int(sensed.sum())} capteurs posés. Conseillés : " + (", ".join(said) if said else "aucun") + "."
    return draw_map("fig-sensors", "Où poser les prochains capteurs", told, ground, marks)


def draw_map(name: str, title: str, told: str, ground: Ground, marks: list[Markup]) -> Markup:
    """Draw `marks` on the ground, with a scale."""
    back = mark('<rect class="paper" width="{}" height="{}"/>', round(ground.width), round(ground.height))
    return picture(
        name, ground.width, ground.height, title=title, told=told, style="map", inside=[
            back, *ground.shapes, *marks, _scale(ground)
        ],
    )  # fmt: skip


def _scale(ground: Ground) -> Markup:
    """Return a bar of a round number of metres."""
    fitting = [step for step in _SCALES_M if step * ground.units_per_m <= ground.width / 3]
    length_m = max(fitting, default=_SCALES_M[0])
    x, y, length = 24, ground.height - 24, length_m * ground.units_per_m
    bar = '<g class="scale"><path d="M{} {}v10h{}v-10"/><text x="{}" y="{}">{}</text></g>'
    return mark(bar, x, round(y - 10), round(length), x + 6, round(y - 8), f"{length_m}{words.NBSP}m")


def spot_mark(where: tuple[float, float], style: str, radius: float, told: str) -> Markup:
    """Return a dot that tells `told` when pointed at."""
    dot = '<circle class="{}" cx="{}" cy="{}" r="{}"><title>{}</title></circle>'
    return mark(dot, style, *where, radius, told)


def _named(place_id: str, street: str | None) -> str:
    return f"{place_id}, {street}" if street else place_id
