"""What the page on delivery areas says of measures and hours, in French."""

from __future__ import annotations

from datetime import date
from typing import Any

from cli.report.words import NBSP, count, number, percent

_UNKNOWN = "inconnu"

DAY_CLASSES = {"workday": "lundi à vendredi", "saturday": "samedi", "sunday": "dimanche et fériés"}
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip


def day(told: date) -> str:
    """Return a day in words."""
    return f"{'1er' if told.day == 1 else told.day} {_MONTHS[told.month - 1]} {told.year}"


def month(told: date) -> str:
    """Return a month in words."""
    return f"{_MONTHS[told.month - 1]} {told.year}"


def minutes(seconds: float | None) -> str:
    """Return a time in minutes, as unknown when nobody knows it."""
    return _UNKNOWN if seconds is None else f"{number(seconds / 60)}{NBSP}min"


def share(value: float | None) -> str:
    """Return a share in percent, as unknown when nobody knows it."""
    return _UNKNOWN if value is None else percent(value)


def hours(told: dict[str, list[list[int]]]) -> str:
    """Return hours by class of day in words."""
    parts = []
    for name, spans in told.items():
        if spans:
            said = " et ".join(f"de {start} à {end}{NBSP}h" for start, end in spans)
            parts.append(f"{DAY_CLASSES[name]} {said}")
    return "; ".join(parts) if parts else "jamais"


def measure(told: dict[str, Any]) -> str:
    """Return what is to be done."""
    match told["kind"]:
        case "add":
            return "Marquer une place de livraison"
        case "move":
            return f"Déplacer une place de {told['area_id']}"
        case "remove":
            return "Rendre une place au stationnement"
        case "share":
            return f"Partager les heures{NBSP}: livraisons {hours(told['hours'])}"
        case "extend":
            return f"Étendre les heures{NBSP}: livraisons {hours(told['hours'])}"
        case _:
            return f"Ramener la durée maximale à {minutes(told['max_stay_s'])}"


def evidence(told: dict[str, Any]) -> str:
    """Return what was seen that speaks for a measure."""
    seen = told["evidence"]
    said = []
    if seen.get("refused_share") is not None:
        said.append(f"{percent(seen['refused_share'])} n'y trouvent pas de place")
    if seen.get("occupied_share") is not None:
        said.append(f"occupée {percent(seen['occupied_share'])} du temps")
    if seen.get("deliveries_wanted_per_week") is not None:
        said.append(f"{number(seen['deliveries_wanted_per_week'])} livraisons par semaine")
    if "deliveries_per_week_in_hours_changed" in seen:
        said.append(f"dont {number(seen['deliveries_per_week_in_hours_changed'])} aux heures qui changent")
    if "shops_within_reach" in seen:
        said.append(count(seen["shops_within_reach"], "commerce à portée", "commerces à portée"))
        full = [one["refused_share"] for one in seen["areas_within_reach"] if one["refused_share"] is not None]
        if full:
            said.append(f"aires voisines{NBSP}: jusqu'à {percent(max(full))} sans place")
        else:
            said.append(f"aire la plus proche à {number(seen['nearest_area_m'])}{NBSP}m")
    return ", ".join(said)


def interval(told: dict[str, float | None]) -> str:
    """Return a mean with its interval."""
    mean = told["mean"] or 0.0
    if told["low"] is None or told["high"] is None:
        return number(mean, 1)
    return f"{number(mean, 1)} ({number(told['low'], 1)} à {number(told['high'], 1)})"
