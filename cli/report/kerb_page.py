"""The page on delivery areas: one HTML file that needs nothing else; names are escaped, there is no script."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cli.report import kerb_figures, kerb_words, words
from cli.report.ground import ground_of
from cli.report.kerb_source import KerbSource

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_STREETS = 15


def render(source: KerbSource) -> str:
    """Return the page. OSError or RuntimeError when the extract of the streets cannot be read."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals |= {"w": words, "k": kerb_words, "legend": kerb_figures.legend()}
    return environment.get_template("kerb.html").render(_values(source))


def _values(source: KerbSource) -> dict[str, Any]:
    measures = [] if source.advice is None else source.advice["measures"]
    points = [(place.longitude_deg, place.latitude_deg) for place in source.bays]
    points += [(at["longitude_deg"], at["latitude_deg"]) for one in measures if (at := one.get("at"))]
    ground = ground_of(points, source.extract) if len(set(points)) > 1 else None
    usages = {line.group.place_id: line.usage for line in source.by_bay.lines if line.group.place_id is not None}
    streets = sorted(source.by_street.lines, key=lambda line: -(line.usage.refused or 0.0))
    (whole,) = source.whole.lines
    return {
        "town": source.town,
        "whole": whole,
        "usage": whole.usage,
        "since": kerb_words.day(source.whole.since),
        "last": kerb_words.day(source.whole.last),
        "hours": [
            (name, kerb_figures.by_hour(source.by_hour.lines, day_class))
            for day_class, name in kerb_words.DAY_CLASSES.items()
        ],
        "hours_of": f"{kerb_words.month(source.by_hour.since)} à {kerb_words.month(source.by_hour.last)}"
        if source.by_hour.since.month != source.by_hour.last.month
        else kerb_words.month(source.by_hour.since),
        "dwells": kerb_figures.dwells(whole.usage),
        "streets": streets[:_MOST_STREETS],
        "streets_left": max(0, len(streets) - _MOST_STREETS),
        "months": source.by_month.lines if len(source.by_month.lines) > 1 else (),
        "map": None if ground is None else kerb_figures.bay_map(source.bays, usages, measures, ground),
        "advice": source.advice,
        "extract": source.extract,
        "made_on": kerb_words.day(datetime.now(UTC).date()),
    }
