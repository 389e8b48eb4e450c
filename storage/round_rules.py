"""The rules of rounds that a town told: read and written as one document, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, fields
from itertools import pairwise

import msgspec
from psycopg.types.json import Jsonb

from storage.database import Connection, fetch, statement
from storage.errors import InputError
from storage.model import BinRule, DisposalRule, LocalHours, RoundRules, VehicleRule

_MINUTES = re.compile(rb'("(?:opens|closes)"\s*:\s*"\d\d:\d\d)"')
"""People write hours without their seconds."""

MOST_BYTES = 20_000_000
MOST_BINS = 20_000
MOST_VEHICLES = 1000
MOST_DISPOSAL_SITES = 1000
MOST_WINDOWS = 24
MOST_NAMES = 100
"""Sectors that a crew knows, kinds of vehicles that may come to a bin."""
MOST_NAME_CHARACTERS = 100
_NAMED = 5
_PEOPLE_AT_MOST = 9
_NOT_NEGATIVE = (
    "capacity_kg", "width_cm", "height_cm", "length_cm", "laden_kg", "range_m", "overtime_s", "unloadings_at_most",
    "km_eur", "hour_eur", "out_eur", "overtime_hour_eur",
)  # fmt: skip


def every(connection: Connection, commune_insee: str) -> RoundRules:
    """Return the commune's rules."""
    key = {"commune_insee": commune_insee}
    return RoundRules(
        bins=tuple(fetch(connection, BinRule, statement("round_rules", "of_bins"), key)),
        vehicles=tuple(fetch(connection, VehicleRule, statement("round_rules", "of_vehicles"), key)),
        disposal_sites=tuple(fetch(connection, DisposalRule, statement("round_rules", "of_disposals"), key)),
    )


def save(connection: Connection, commune_insee: str, rules: RoundRules) -> None:
    """Store rules in the caller's transaction; what a rule does not name keeps what it had.

    Raises InputError for rules of things that the commune does not have.
    """
    key = {"commune_insee": commune_insee}
    named = {
        "bins": [rule.place_id for rule in rules.bins],
        "vehicles": [rule.vehicle_id for rule in rules.vehicles],
        "disposals": [rule.place_id for rule in rules.disposal_sites],
        "depots": [rule.end_depot_id for rule in rules.vehicles if rule.end_depot_id is not None],
    }
    strangers = connection.execute(statement("round_rules", "strangers"), key | named).fetchall()
    if strangers:
        told = ", ".join(f"{what} {name!r}" for what, name in strangers[:_NAMED])
        more = f" and {len(strangers) - _NAMED} more" if len(strangers) > _NAMED else ""
        raise InputError(f"commune {commune_insee} does not have {told}{more}")
    for query, found in (
        ("save_bin", rules.bins),
        ("save_vehicle", rules.vehicles),
        ("save_disposal", rules.disposal_sites),
    ):
        rows = [asdict(rule) | key for rule in found]
        for row in rows:
            for name in ("sectors", "vehicle_kinds"):
                if name in row:
                    row[name] = list(row[name])
            if "windows" in row:
                row["windows"] = Jsonb(
                    [
                        {"opens": hours["opens"].isoformat(), "closes": hours["closes"].isoformat()}
                        for hours in row["windows"]
                    ]
                )
        if rows:
            with connection.cursor() as cursor:
                cursor.executemany(statement("round_rules", query), rows)


def decode(content: bytes) -> RoundRules:
    """Return the rules in a JSON document. Raises InputError naming what is wrong with it."""
    if len(content) > MOST_BYTES:
        raise InputError(f"expected at most {MOST_BYTES} bytes of rules, got more")
    try:
        document = msgspec.json.decode(_MINUTES.sub(rb'\1:00"', content))
        rules = msgspec.convert(document, RoundRules)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise InputError(f"the rules cannot be read: {error}") from error
    _refuse_unknown(document)
    _refuse_too_many(rules)
    for bin_rule in rules.bins:
        _require_order(bin_rule.windows, f"bin {bin_rule.place_id}")
        _require(
            1 <= bin_rule.crew <= _PEOPLE_AT_MOST,
            f"bin {bin_rule.place_id}: expected crew in 1..9, got {bin_rule.crew}",
        )
        width_cm = bin_rule.max_width_cm
        _require(
            width_cm is None or width_cm > 0, f"bin {bin_rule.place_id}: expected max_width_cm > 0, got {width_cm}"
        )
        _require(bin_rule.kg_per_l >= 0, f"bin {bin_rule.place_id}: expected kg_per_l >= 0, got {bin_rule.kg_per_l}")
    for rule in rules.vehicles:
        for name in _NOT_NEGATIVE:
            value = getattr(rule, name)
            _require(value is None or value >= 0, f"vehicle {rule.vehicle_id}: expected {name} >= 0, got {value}")
        _require(
            1 <= rule.crew <= _PEOPLE_AT_MOST, f"vehicle {rule.vehicle_id}: expected crew in 1..9, got {rule.crew}"
        )
    for site in rules.disposal_sites:
        _require_order(site.windows, f"disposal site {site.place_id}")
    return rules


def encode(rules: RoundRules) -> bytes:
    """Return the document that `decode` reads."""
    return msgspec.json.format(msgspec.json.encode(rules), indent=2)


_KINDS: dict[str, type[BinRule | VehicleRule | DisposalRule]] = {
    "bins": BinRule,
    "vehicles": VehicleRule,
    "disposal_sites": DisposalRule,
}


def _refuse_unknown(document: dict[str, list[dict[str, object]]]) -> None:
    for part, entries in document.items():
        _require(part in _KINDS, f"expected {', '.join(_KINDS)}, got {part!r}")
        known = {field.name for field in fields(_KINDS[part])}
        for entry in entries:
            strange = sorted(set(entry) - known)
            _require(not strange, f"{part}: expected {', '.join(sorted(known))}, got {', '.join(strange)}")


def _refuse_too_many(rules: RoundRules) -> None:
    lists: list[tuple[str, Sequence[object], int]] = [
        ("bins", rules.bins, MOST_BINS),
        ("vehicles", rules.vehicles, MOST_VEHICLES),
        ("disposal_sites", rules.disposal_sites, MOST_DISPOSAL_SITES),
    ]
    lists += [(f"{rule.place_id}: windows", rule.windows, MOST_WINDOWS) for rule in rules.bins + rules.disposal_sites]
    names = [(f"bin {rule.place_id}: vehicle_kinds", rule.vehicle_kinds) for rule in rules.bins]
    names += [(f"vehicle {rule.vehicle_id}: sectors", rule.sectors) for rule in rules.vehicles]
    lists += [(what, told, MOST_NAMES) for what, told in names]
    for what, told, most in lists:
        _require(len(told) <= most, f"{what}: expected at most {most}, got {len(told)}")
    for what, told in [*names, *((f"vehicle {rule.vehicle_id}: kind", (rule.kind,)) for rule in rules.vehicles)]:
        longest = max(map(len, told), default=0)
        _require(
            longest <= MOST_NAME_CHARACTERS,
            f"{what}: expected at most {MOST_NAME_CHARACTERS} characters, got {longest}",
        )


def _require_order(windows: tuple[LocalHours, ...], who: str) -> None:
    for window in windows:
        _require(window.opens < window.closes, f"{who}: expected opens < closes, got {window.opens}-{window.closes}")
    for earlier, later in pairwise(windows):
        _require(
            earlier.closes < later.opens,
            f"{who}: expected windows in order and apart, got {later.opens} after {earlier.closes}",
        )


def _require(holds: bool, broken_rule: str) -> None:  # noqa: FBT001 - reads as the assertion it is
    if not holds:
        raise InputError(broken_rule)
