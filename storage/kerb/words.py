"""Rules and states in French, for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from storage.kerb.standing import Standing
from storage.model.kerb import EVERY_DAY, MIDNIGHT, HolidayUse, Rule, RuleUse, VehicleClass
from storage.model.kinds import BayState

_USES = {
    RuleUse.DELIVERY: "livraisons",
    RuleUse.SHORT_STAY: "arrêt minute",
    RuleUse.PARKING: "stationnement",
    RuleUse.RESERVED: "emplacement réservé",
    RuleUse.NO_STOPPING: "arrêt et stationnement interdits",
    RuleUse.UNRESTRICTED: "sans restriction",
}
_CLASSES = {
    VehicleClass.GOODS: "véhicules de livraison",
    VehicleClass.CARGO_BIKE: "vélos cargos",
    VehicleClass.CAR: "voitures",
    VehicleClass.MOTORCYCLE: "deux-roues motorisés",
    VehicleClass.TAXI: "taxis",
    VehicleClass.COACH: "autocars",
    VehicleClass.DISABLED: "titulaires de la carte mobilité inclusion",
    VehicleClass.ELECTRIC: "véhicules électriques en charge",
    VehicleClass.RESIDENT: "résidents",
}
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S
_A_RANGE = 3


def rule_in_words(rule: Rule) -> str:
    """Return « Livraisons, 30 min au plus (tolérance 5 min), du lundi au samedi de 7 h à 20 h, sauf jours fériés »."""
    parts = [_USES[rule.use]]
    if rule.vehicle_classes:
        parts.append(_list([_CLASSES[one] for one in rule.vehicle_classes]))
    if rule.max_mass_t is not None:
        parts.append(f"{f'{rule.max_mass_t:g}'.replace('.', ',')} t au plus")
    if rule.max_stay_s:
        grace = f" (tolérance {duration(rule.grace_s)})" if rule.grace_s else ""
        parts.append(f"{duration(rule.max_stay_s)} au plus{grace}")
    parts += [part for part in (_when(rule), _season(rule), _life(rule)) if part]
    sentence = ", ".join(parts)
    return sentence[0].upper() + sentence[1:]


def rules_in_words(rules: Sequence[Rule]) -> str:
    """Return the rules as one line, « ; » between them."""
    return " ; ".join(rule_in_words(rule) for rule in rules) or "Aucune règle connue"


def standing_in_words(standing: Standing, *, now: datetime, zone: ZoneInfo) -> str:
    """Return what a place's state is, in a sentence for who looks at it."""
    until = f" jusqu'à {hour(standing.rule_until, zone)}" if standing.rule_until is not None else ""
    since = None if standing.since is None else duration(max(0.0, (now - standing.since).total_seconds()))
    match standing.state:
        case BayState.RULE_NOT_IN_FORCE:
            words = f"Hors horaires{until}"
        case BayState.UNKNOWN:
            words = f"Inconnu : capteur muet depuis {since}" if since else "Inconnu : aucun capteur n'en a rien dit"
        case BayState.FREE:
            words = f"Libre depuis {since}" if since else "Libre"
        case BayState.OVER_LIMIT:
            words = f"En dépassement de {duration(standing.overstay_s or 0)}"
        case _ if standing.remaining_s is None:
            words = f"Occupé depuis {since}, sans limite{until}"
        case _ if standing.remaining_s == 0:
            words = "Durée atteinte, tolérance en cours"
        case _:
            words = f"Occupé, reste {duration(standing.remaining_s)}"
    return words


def duration(seconds: float, *, day: str = "j") -> str:
    """Return « 45 s », « 30 min », « 1 h 30 », « 2 j 3 h »; `day` is the sign of days."""
    whole = int(seconds)
    if whole < 60:  # noqa: PLR2004 - seconds of a minute
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // 60} min"
    if whole < _DAY_S:
        minutes = whole % _HOUR_S // 60
        return f"{whole // _HOUR_S} h" + (f" {minutes:02d}" if minutes else "")
    hours = whole % _DAY_S // _HOUR_S
    return f"{whole // _DAY_S} {day}" + (f" {hours} h" if hours else "")


def hour(moment: datetime | time, zone: ZoneInfo | None = None) -> str:
    """Return « 7 h », « 16 h 30 » of a local time or of a moment in a zone."""
    local = moment.astimezone(zone) if isinstance(moment, datetime) else moment
    return f"{local.hour} h" + (f" {local.minute:02d}" if local.minute else "")


def run_of_days(days: tuple[int, ...]) -> tuple[int, int] | None:
    """Return the first and last ISO weekday of days that are told as a run; it may go over Sunday, as Friday to Monday.

    None when they are few, or no run.
    """
    breaks = [day for day in days if (day - 2) % 7 + 1 not in days]
    if len(days) < _A_RANGE or len(breaks) != 1:
        return None
    return breaks[0], (breaks[0] + len(days) - 2) % 7 + 1


def _when(rule: Rule) -> str:
    if rule.holidays is HolidayUse.ONLY or not rule.days:
        return f"les jours fériés {_hours(rule)}"
    days = f"{_days(rule.days)} et jours fériés" if rule.holidays is HolidayUse.ALSO else _days(rule.days)
    without = ", sauf jours fériés" if rule.holidays is HolidayUse.EXCEPT else ""
    return f"{days} {_hours(rule)}{without}"


def _days(days: tuple[int, ...]) -> str:
    if days == EVERY_DAY:
        return "tous les jours"
    run = run_of_days(days)
    if run is not None:
        first, last = run
        return f"du {_DAYS[first - 1]} au {_DAYS[last - 1]}"
    return _list([f"le {_DAYS[day - 1]}" for day in days])


def _hours(rule: Rule) -> str:
    if rule.starts == rule.ends == MIDNIGHT:
        return "jour et nuit"
    ends = "24 h" if rule.ends == MIDNIGHT else hour(rule.ends)
    return f"de {hour(rule.starts)} à {ends}"


def _season(rule: Rule) -> str:
    if rule.season_from is None or rule.season_until is None:
        return ""
    return f"du {_day_of_year(rule.season_from)} au {_day_of_year(rule.season_until)}"


def _day_of_year(text: str) -> str:
    month, day = (int(part) for part in text.split("-"))
    return f"{'1er' if day == 1 else day} {_MONTHS[month - 1]}"


def _life(rule: Rule) -> str:
    told = []
    if rule.valid_from is not None:
        told.append(f"à partir du {rule.valid_from:%d/%m/%Y}")
    if rule.valid_until is not None:
        told.append(f"jusqu'au {rule.valid_until:%d/%m/%Y}")
    return " ".join(told)


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} et {words[-1]}"
