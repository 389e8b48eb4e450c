"""Rules in English, for people who do not read French; the by-law's own words are French (`words`). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time

from storage.kerb.words import duration, run_of_days
from storage.model.kerb import EVERY_DAY, MIDNIGHT, HolidayUse, Rule, RuleUse, VehicleClass

_USES = {
    RuleUse.DELIVERY: "deliveries",
    RuleUse.SHORT_STAY: "short stay",
    RuleUse.PARKING: "parking",
    RuleUse.RESERVED: "reserved",
    RuleUse.NO_STOPPING: "no stopping",
    RuleUse.UNRESTRICTED: "unrestricted",
}
_CLASSES = {
    VehicleClass.GOODS: "goods vehicles",
    VehicleClass.CARGO_BIKE: "cargo bikes",
    VehicleClass.CAR: "cars",
    VehicleClass.MOTORCYCLE: "motorcycles",
    VehicleClass.TAXI: "taxis",
    VehicleClass.COACH: "coaches",
    VehicleClass.DISABLED: "holders of a disabled person's card",
    VehicleClass.ELECTRIC: "electric vehicles that charge",
    VehicleClass.RESIDENT: "residents",
}
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


def rule_in_english(rule: Rule) -> str:
    """Return "Deliveries, 30 min at most (5 min of grace), Monday to Saturday 7:00 to 20:00"."""
    parts = [_USES[rule.use]]
    if rule.vehicle_classes:
        parts.append(_list([_CLASSES[one] for one in rule.vehicle_classes]))
    if rule.max_mass_t is not None:
        parts.append(f"{rule.max_mass_t:g} t at most")
    if rule.max_stay_s:
        grace = f" ({_duration(rule.grace_s)} of grace)" if rule.grace_s else ""
        parts.append(f"{_duration(rule.max_stay_s)} at most{grace}")
    parts += [part for part in (_when(rule), _season(rule), _life(rule)) if part]
    sentence = ", ".join(parts)
    return sentence[0].upper() + sentence[1:]


def _duration(seconds: float) -> str:
    return duration(seconds, day="d")


def _when(rule: Rule) -> str:
    if rule.holidays is HolidayUse.ONLY or not rule.days:
        return f"public holidays{_hours(rule)}"
    days = f"{_days(rule.days)} and public holidays" if rule.holidays is HolidayUse.ALSO else _days(rule.days)
    without = ", not on public holidays" if rule.holidays is HolidayUse.EXCEPT else ""
    return f"{days}{_hours(rule)}{without}"


def _days(days: tuple[int, ...]) -> str:
    if days == EVERY_DAY:
        return "every day"
    run = run_of_days(days)
    if run is not None:
        first, last = run
        return f"{_DAYS[first - 1]} to {_DAYS[last - 1]}"
    return _list([_DAYS[day - 1] for day in days])


def _hours(rule: Rule) -> str:
    if rule.starts == rule.ends == MIDNIGHT:
        return ", day and night"
    ends = "24:00" if rule.ends == MIDNIGHT else _hour(rule.ends)
    return f" {_hour(rule.starts)} to {ends}"


def _hour(local: time) -> str:
    return f"{local.hour}:{local.minute:02d}"


def _season(rule: Rule) -> str:
    if rule.season_from is None or rule.season_until is None:
        return ""
    return f"{_day_of_year(rule.season_from)} to {_day_of_year(rule.season_until)}"


def _day_of_year(text: str) -> str:
    month, day = (int(part) for part in text.split("-"))
    return f"{day} {_MONTHS[month - 1]}"


def _life(rule: Rule) -> str:
    told = []
    if rule.valid_from is not None:
        told.append(f"from {rule.valid_from.day} {_MONTHS[rule.valid_from.month - 1]} {rule.valid_from.year}")
    if rule.valid_until is not None:
        told.append(f"until {rule.valid_until.day} {_MONTHS[rule.valid_until.month - 1]} {rule.valid_until.year}")
    return " ".join(told)


def _list(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
