"""The report's plots: what was promised against what came, errors ahead, what drives the forecast, example weeks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from markupsafe import Markup

from cli.report import words
from cli.report.svg import Plot
from optimise.fill.report.calibration import Ahead, Point
from optimise.fill.report.drivers import Driver
from optimise.fill.report.examples import Example

_SHARES = [(share, words.percent(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
_DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
_FEWEST_SHOWN = 20


def promised_and_observed(below: dict[str, Sequence[Point]]) -> Markup:
    """Draw how often levels were below each quantile, for bins without and with a sensor."""
    plot = Plot(x=(0.0, 1.0), y=(0.0, 1.0), height=300)
    plot.axes(x_ticks=_SHARES, y_ticks=_SHARES, x_label="part annoncée sous le niveau", y_label="part observée")
    plot.line([(0, 0), (1, 1)], "ideal")
    said = []
    for style, (name, points) in zip(("without", "with"), below.items(), strict=False):
        plot.line([(point.promised, point.observed) for point in points], f"line {style}")
        for point in points:
            told = f"{name} : annoncé {words.percent(point.promised)}, observé {words.percent(point.observed, 1)}"
            plot.dot(point.promised, point.observed, f"mark {style}", told=told)
            said.append(told)
    return plot.draw("fig-quantiles", title="Niveaux annoncés et observés", told=". ".join(said) + ".")


def chance_of_full(full: dict[str, Sequence[Point]]) -> Markup:
    """Draw how often bins were full, by the probability that was said; few forecasts are pale."""
    plot = Plot(x=(0.0, 1.0), y=(0.0, 1.0), height=300)
    plot.axes(x_ticks=_SHARES, y_ticks=_SHARES, x_label="risque annoncé d'être pleine", y_label="part vraiment pleine")
    plot.line([(0, 0), (1, 1)], "ideal")
    said = []
    for style, (name, points) in zip(("without", "with"), full.items(), strict=False):
        plot.line([(point.promised, point.observed) for point in points], f"line {style}")
        for point in points:
            told = (
                f"{name} : annoncé {words.percent(point.promised)}, pleine {words.percent(point.observed)} des "
                f"{words.count(point.n, 'fois', 'fois')}"
            )
            radius = 2.5 + 3.5 * min(1.0, np.log10(max(point.n, 1)) / 4)
            few = " few" if point.n < _FEWEST_SHOWN else ""
            plot.dot(point.promised, point.observed, f"mark {style}{few}", radius=round(radius, 1), told=told)
            said.append(told)
    return plot.draw("fig-full", title="Risque d'être pleine, annoncé et observé", told=". ".join(said) + ".")


def errors_ahead(name: str, title: str, ahead: Sequence[Ahead]) -> Markup:
    """Draw the errors of the forecast and of the best simple method by hours ahead."""
    most = max(max(one.mae, one.simple_mae) for one in ahead)
    top = float(np.ceil(most / 5) * 5)
    last = max(one.hours for one in ahead)
    plot = Plot(x=(0.0, float(last)), y=(0.0, top))
    step = 24 if last > 24 else 6  # noqa: PLR2004 - a day
    plot.axes(
        x_ticks=[(hour, f"{hour} h") for hour in range(0, last + 1, step if last <= 4 * step else 24)],
        y_ticks=[(value, words.number(value)) for value in np.linspace(0, top, 6 if top % 25 == 0 else 3).tolist()],
        x_label="heures à l'avance",
        y_label="erreur moyenne, points",
    )
    plot.line([(one.hours, one.simple_mae) for one in ahead], "line simple")
    plot.line([(one.hours, one.mae) for one in ahead], "line without")
    said = []
    for one in ahead:
        told = (
            f"{one.hours} h : {words.number(one.mae, 1)} points, méthode simple {words.number(one.simple_mae, 1)} "
            f"({words.count(one.n, 'essai', 'essais')})"
        )
        plot.dot(one.hours, one.simple_mae, "mark simple", radius=3, told=told)
        plot.dot(one.hours, one.mae, "mark without", told=told)
        said.append(told)
    return plot.draw(name, title=title, told=". ".join(said) + ".")


def what_drives(drivers: Sequence[Driver]) -> Markup:
    """Draw by how many points the error grows without each kind of knowledge, as bars with their uncertainty."""
    row, left = 46, 8
    top = max(1.0, *(driver.high for driver in drivers))
    low = min(0.0, *(driver.low for driver in drivers))
    height = row * len(drivers) + 14
    plot = Plot(
        x=(low, top * 1.18), y=(0.0, float(height)), width=360, height=height, left=left, right=8, top=0, bottom=0
    )
    said = []
    for index, driver in enumerate(drivers):
        title, _ = words.DRIVERS.get(driver.name, (driver.name, ""))
        y = height - row * index - 16
        plot.text(low, y, title, style="label")
        zero, end = plot.at(0.0, 0.0)[0], plot.at(max(driver.worse_by, 0.0), 0.0)[0]
        top_of_bar = round(plot.at(0.0, y - 6)[1], 1)
        bar = '<rect class="bar" x="{}" y="{}" width="{}" height="14"/>'
        plot.add(bar, zero, top_of_bar, max(1.0, round(end - zero, 1)))
        plot.line([(driver.low, y - 13), (driver.high, y - 13)], "whisker")
        at = plot.at(max(driver.high, 0.0), 0.0)[0] + 5
        told = f"+{words.number(driver.worse_by, 1)}" if driver.worse_by > 0 else words.number(driver.worse_by, 1)
        plot.add('<text class="value" x="{}" y="{}">{}</text>', round(at, 1), top_of_bar + 12, told)
        said.append(
            f"sans {title[0].lower()}{title[1:]} : {told} points "
            f"(de {words.number(driver.low, 1)} à {words.number(driver.high, 1)})"
        )
    return plot.draw("fig-drivers", title="Ce que coûte chaque connaissance qui manque", told=". ".join(said) + ".")


def example_week(example: Example, *, index: int, place_id: str, time_zone: str) -> Markup:
    """Draw a bin's week: the band of 80 %, the middle, and what the hidden sensor measured."""
    first, last = float(example.at_s[0]), float(example.at_s[-1])
    plot = Plot(x=(first, max(last, first + 1)), y=(0.0, 1.05), height=190)
    plot.axes(
        x_ticks=_midnights(first, last, time_zone),
        y_ticks=[(0.0, "0"), (0.5, words.percent(0.5)), (1.0, words.percent(1.0))],
    )
    for band in example.bands:
        at = band.at_s.tolist()
        low, middle, high = (band.levels[:, column].tolist() for column in range(3))
        if len(at) > 1:
            around = [*zip(at, high, strict=True), *reversed(list(zip(at, low, strict=True)))]
            plot.area(around, "band")
            plot.line(list(zip(at, middle, strict=True)), "line without")
    for piece in _unbroken(example):
        plot.line(piece, "line truth")
    measured = np.isfinite(example.level)
    told = (
        f"Corbeille {place_id}, erreur moyenne {words.number(example.mae, 1)} points sur la période d'essai. "
        f"{words.count(len(example.bands), 'prévision faite', 'prévisions faites')} sans son capteur ; niveau mesuré "
        f"{words.percent(float(measured.mean()))} du temps."
    )
    return plot.draw(f"fig-week-{index}", title=f"La semaine de {place_id}", told=told)


def _unbroken(example: Example) -> list[list[tuple[float, float]]]:
    """Return the measured level in pieces without a gap and without an emptying in them."""
    pieces: list[list[tuple[float, float]]] = [[]]
    before = np.nan
    for at_s, level in zip(example.at_s.tolist(), example.level.tolist(), strict=True):
        if not np.isfinite(level):
            pieces.append([])
        elif np.isfinite(before) and before - level > 0.12:  # noqa: PLR2004 - somebody emptied it
            pieces.append([(at_s, level)])
        else:
            pieces[-1].append((at_s, level))
        before = level
    return [piece for piece in pieces if len(piece) > 1]


def _midnights(first_s: float, last_s: float, time_zone: str) -> list[tuple[float, str]]:
    zone = ZoneInfo(time_zone)
    day = datetime.fromtimestamp(first_s, UTC).astimezone(zone).replace(hour=0, minute=0, second=0)
    ticks = []
    while day.timestamp() <= last_s:
        if day.timestamp() >= first_s:
            ticks.append((day.timestamp(), _DAYS[day.weekday()]))
        # A day of the calendar, which is 23 or 25 hours when clocks change.
        day = (day.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    return ticks
