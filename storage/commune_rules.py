"""What an INSEE code says of a commune: whether it is one, its school zone, its time zone. Decides alone, from tables.

The code of a commune (INSEE, Code officiel géographique) begins with its département's; the school zones are those of
the académies (arrêté of the calendrier scolaire), which are unions of départements.
"""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import available_timezones

from storage.errors import InputError

SCHOOL_ZONES = ("A", "B", "C")

_CODE = re.compile(
    r"(?P<metropole>0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5])[0-9]{3}|(?P<overseas>97[1-8]|98[678])[0-9]{2}"
)

# Corsica and what lies overseas have school calendars of their own, in no zone.
_DEPARTEMENTS_BY_ZONE = {
    "A": "01 03 07 15 16 17 19 21 23 24 25 26 33 38 39 40 42 43 47 58 63 64 69 70 71 73 74 79 86 87 89 90",
    "B": "02 04 05 06 08 10 13 14 18 22 27 28 29 35 36 37 41 44 45 49 50 51 52 53 54 55 56 57 59 60 61 62 67 68 72 76 "
    "80 83 84 85 88",
    "C": "09 11 12 30 31 32 34 46 48 65 66 75 77 78 81 82 91 92 93 94 95",
}
_ZONE_OF = {code: zone for zone, codes in _DEPARTEMENTS_BY_ZONE.items() for code in codes.split()}

_METROPOLE = "Europe/Paris"
_TIME_ZONE_OF = {
    "971": "America/Guadeloupe",
    "972": "America/Martinique",
    "973": "America/Cayenne",
    "974": "Indian/Reunion",
    "975": "America/Miquelon",
    "976": "Indian/Mayotte",
    "977": "America/St_Barthelemy",
    "978": "America/Marigot",
    "986": "Pacific/Wallis",
    "987": "Pacific/Tahiti",
    "988": "Pacific/Noumea",
}


def departement(commune_insee: str) -> str:
    """Return the code of the commune's département or collectivity: 93, 2A, 974. Raises InputError for no code."""
    match = _CODE.fullmatch(commune_insee)
    if match is None:
        raise InputError(
            "expected the INSEE code of a commune, five characters such as 93051, 2A004 in Corsica or 97411 overseas, "
            f"got {commune_insee[:20]!r}"
        )
    return match["metropole"] or match["overseas"]


def school_zone(commune_insee: str) -> str | None:
    """Return the zone of the commune's school holidays: A, B or C; None in Corsica and overseas."""
    return _ZONE_OF.get(departement(commune_insee))


def time_zone(commune_insee: str) -> str:
    """Return the IANA name of the commune's time zone; of a collectivity with several, its chief town's."""
    return _TIME_ZONE_OF.get(departement(commune_insee), _METROPOLE)


def check_school_zone(commune_insee: str, zone: str | None) -> None:
    """Raise InputError unless `zone` is the one in which the commune lies, or None: no school holidays are known."""
    lies_in = school_zone(commune_insee)
    if zone is None or zone == lies_in:
        return
    if zone not in SCHOOL_ZONES:
        raise InputError(f"school zone: expected A, B, C or none, got {zone[:20]!r}")
    where = "in no zone (its calendar is its own)" if lies_in is None else f"in zone {lies_in}"
    raise InputError(f"school zone: commune {commune_insee} lies {where}, got {zone}")


def check_time_zone(name: str) -> None:
    """Raise InputError unless `name` is an IANA time zone."""
    if name not in _time_zones():
        raise InputError(f"time zone: expected an IANA name such as Europe/Paris, got {name[:60]!r}")


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
