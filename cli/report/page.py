"""The report as one HTML page that needs nothing else: styles and drawings inside, names escaped, no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cli.report import figures, maps, words
from cli.report.ground import ground_of
from optimise.fill.report.by_bin import BinError
from optimise.fill.report.calibration import Group
from optimise.fill.report.whole import Part, Report

_TEMPLATES = Path(__file__).parent / "templates"
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What stands above and below the page: the town, and which run of which model, if there is one."""

    town: str
    model_version: str | None = None
    run_id: str | None = None
    extract: Path | None = None
    of_file: bool = False
    of_emptyings: bool = False


def render(report: Report, heading: Heading) -> str:
    """Return the page. OSError or RuntimeError when the extract of the streets cannot be read."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    environment.globals |= {"w": words, "legend": maps.legend()}
    return environment.get_template("fill.html").render(_values(report, heading))


def _values(report: Report, heading: Heading) -> dict[str, Any]:
    data = report.data
    zone = ZoneInfo(data.time_zone)
    parts = {"sans capteur": report.unsensored, "avec capteur": report.sensored}
    there = {name: part for name, part in parts.items() if part is not None}
    located = [(item.longitude_deg, item.latitude_deg) for item in data.bins]
    # Bins that are all at one point are bins whose places nobody told.
    ground = ground_of(located, heading.extract) if len(set(located)) > 1 else None
    return {
        "heading": heading,
        "report": report,
        "as_of": _moment(data.as_of_s, zone),
        "since": _moment(data.start_s, zone),
        "made_at": _moment(int(datetime.now(UTC).timestamp()), zone),
        "sensors": int(data.has_sensor.sum()),
        "unsensored": _summary(report.unsensored),
        "sensored": _summary(report.sensored),
        "of_now": report.unsensored is not None and not report.unsensored.ahead,
        "rounds": None if report.unsensored is None else report.unsensored.rounds,
        "map": None if ground is None else maps.error_map(report, ground),
        "sensor_map": None if ground is None else maps.sensor_map(report, ground),
        "quantiles": figures.promised_and_observed({name: part.below for name, part in there.items()}),
        "full": figures.chance_of_full({name: part.full for name, part in there.items()}),
        "ahead": [
            (name, figures.errors_ahead(f"fig-ahead-{index}", f"Erreur selon l'avance, {name}", part.ahead), part.ahead)
            for index, (name, part) in enumerate(there.items())
            if part.ahead
        ],
        "groups": [] if report.unsensored is None else _by_theme(report.unsensored.groups),
        "worst": _listed(report, report.worst, worst=True),
        "best": _listed(report, report.best, worst=False),
        "weeks": [
            figures.example_week(one, index=index, place_id=data.bins[one.row].place_id, time_zone=data.time_zone)
            for index, one in enumerate(report.examples)
        ],
        "weeks_of": [(data.bins[one.row], one.mae) for one in report.examples],
        "drivers_figure": figures.what_drives(report.drivers) if report.drivers else None,
        "drivers": [(*words.DRIVERS.get(one.name, (one.name, "")), one) for one in report.drivers],
        "advised": [
            {
                "place": data.bins[placed.row],
                "placed": placed,
                "after": after,
                "rate": report.rate_per_day[placed.row],
                "surprise": report.surprise[placed.row],
                "expected": report.expected_error[placed.row],
                "nearest_m": report.facts["nearest_sensor_m"][placed.row],
            }
            for placed, after in zip(report.advice.placed, report.advice.error_after, strict=True)
        ],
    }


def _summary(part: Part | None) -> dict[str, Any] | None:
    if part is None:
        return None
    made = part.made
    mae, simple_mae = float(made.error.mean()), float(made.simple_error.mean())
    return {
        "n": len(made),
        "mae": mae,
        "simple": words.simple(made.simple_name),
        "simple_mae": simple_mae,
        "less": 1 - mae / max(simple_mae, 1e-9),
        "coverage_80": float(made.inside(0.8).mean()),
        "coverage_90": float(made.inside(0.9).mean()),
    }


def _by_theme(groups: Sequence[Group]) -> list[tuple[str, str, Group]]:
    return [(words.THEMES.get(one.theme, one.theme), words.group(one.theme, one.name), one) for one in groups]


def _listed(report: Report, errors: Sequence[BinError], *, worst: bool) -> list[dict[str, Any]]:
    listed = []
    for one in errors:
        reasons = [words.reason(fact, value, worst=worst) for fact, value in one.reasons]
        if worst and (always := words.bias(one.bias, one.mae)):
            reasons.insert(0, always)
        listed.append({"place": report.data.bins[one.row], "error": one, "reasons": reasons})
    return listed


def _moment(at_s: int, zone: ZoneInfo) -> str:
    at = datetime.fromtimestamp(at_s, UTC).astimezone(zone)
    day = "1er" if at.day == 1 else str(at.day)
    return f"{day} {_MONTHS[at.month - 1]} {at.year} à {at.hour}{words.NBSP}h{words.NBSP}{at.minute:02d}"
