"""The plots and the map of the page on delivery areas."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from cli.report import kerb_words, words
from cli.report.ground import Ground
from cli.report.maps import draw_map, spot_mark
from cli.report.svg import Plot, mark
from storage.kerb.usage import DWELL_BOUNDS_S, Usage
from storage.model import KerbPlace
from storage.observatory_answers import Line

CLASSES = (0.05, 0.1, 0.2, 0.4)
"""Shares that find no place at which the colour changes."""
_SHARES = [(value, words.percent(value)) for value in (0.0, 0.25, 0.5, 0.75, 1.0)]
_HOURS = [(hour, f"{hour} h") for hour in range(0, 25, 4)]


def refused_class(share: float) -> int:
    """Return 0 to 4, the colour of a share that finds no place."""
    return sum(share >= limit for limit in CLASSES)


def legend() -> list[tuple[int, str]]:
    """Return the colours with the shares that they stand for."""
    between = [f"{words.percent(low)} à {words.percent(high)}" for low, high in pairwise(CLASSES)]
    first, last = f"moins de {words.percent(CLASSES[0])}", f"{words.percent(CLASSES[-1])} et plus"
    return list(enumerate([first, *between, last]))


def by_hour(lines: Sequence[Line], day_class: str) -> Markup:
    """Draw the share occupied and the share that finds no place by hour of one class of days."""
    plot = Plot(x=(0.0, 24.0), y=(0.0, 1.0))
    plot.axes(x_ticks=_HOURS, y_ticks=_SHARES, x_label="heure", y_label="part")
    of_class = [line for line in lines if line.group.day_class == day_class and line.group.hour is not None]
    said = []
    for style, name, figure in (("without", "occupées", "occupied_share"), ("with", "sans place", "refused_share")):
        points = [
            (line.group.hour + 0.5, share)
            for line in of_class
            if line.group.hour is not None and (share := getattr(line.usage, figure)) is not None
        ]
        if len(points) > 1:
            plot.line(points, f"line {style}")
        said += [f"{name} à {int(hour)} h : {words.percent(share)}" for hour, share in points]
    title = f"Par heure, {kerb_words.DAY_CLASSES[day_class]}"
    return plot.draw(f"fig-hours-{day_class}", title=title, told=". ".join(said) + ".")


def dwells(usage: Usage) -> Markup:
    """Draw how long vehicles stay."""
    shares = usage.dwell_shares or ()
    top = max([0.1, *shares])
    plot = Plot(x=(0.0, float(len(shares) or 1)), y=(0.0, top), width=460)
    names = [_bound(bound) for bound in DWELL_BOUNDS_S]
    ticks = [(float(number + 1), name.removesuffix(" min")) for number, name in enumerate(names)]
    plot.axes(
        x_ticks=ticks,
        y_ticks=[(value, words.percent(value)) for value in (0.0, top / 2, top)],
        x_label="durée, jusqu'à (minutes, puis heures)",
        y_label="part des passages",
    )
    said = []
    for number, share in enumerate(shares):
        plot.area([(number + 0.1, 0), (number + 0.9, 0), (number + 0.9, share), (number + 0.1, share)], "bar")
        until = f"jusqu'à {names[number]}" if number < len(names) else "plus longtemps"
        said.append(f"{until} : {words.percent(share, 1)}")
    return plot.draw("fig-dwells", title="Durée des passages", told=". ".join(said) + ".")


def _bound(seconds: int) -> str:
    return f"{seconds // 60} min" if seconds < 3600 else f"{seconds / 3600:g} h".replace(".", ",")  # noqa: PLR2004 - an hour


def bay_map(
    bays: Sequence[KerbPlace], usages: dict[str, Usage], measures: Sequence[dict[str, Any]], ground: Ground
) -> Markup:
    """Draw every bay by the share that finds no place there, and the measures with their number."""
    marks = []
    for place in bays:
        usage = usages.get(place.place_id)
        share = None if usage is None else usage.refused_share
        name = place.place_id if place.street is None else f"{place.place_id}, {place.street}"
        if share is None:
            style, told = "plain", f"{name} : rien de mesuré"
        else:
            style, told = f"tried e{refused_class(share)}", f"{name} : {words.percent(share)} sans place"
        marks.append(spot_mark(ground.at(place.longitude_deg, place.latitude_deg), style, 9, told))
    said: list[str] = []
    for rank, one in reversed(list(enumerate(measures, start=1))):
        at = one.get("at", one)
        x, y = ground.at(at["longitude_deg"], at["latitude_deg"])
        told = f"{rank}. {kerb_words.measure(one)}"
        circle = mark('<circle cx="{}" cy="{}" r="17"/>', x, y)
        number = mark('<text x="{}" y="{}">{}</text>', x, y + 7.5, rank)
        marks.append(mark('<g class="advised">{}{}<title>{}</title></g>', circle, number, told))
        said.insert(0, told)
    told = f"{len(bays)} aires de livraison. Conseils : " + ("; ".join(said) if said else "aucun") + "."
    return draw_map("fig-map", "Aires de livraison et conseils", told, ground, marks)
