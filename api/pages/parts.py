"""Which parts of the map are whose: a part is what one route answers, so that nobody sees a list that stays empty."""

from __future__ import annotations

from types import MappingProxyType

from api.access import ACCESS
from api.principal import Principal

ROUTES = MappingProxyType(
    {
        "bins": "list_bins",
        "history": "bin_history",
        "plan": "latest_plan",
        "bays": "list_bays",
        "parking": "list_spaces",
        "intake": "intake",
    }
)
"""The route of each part, by the name that the map's template and modules give it."""


def parts_of(principal: Principal, commune_insee: str) -> list[str]:
    """Return the parts of a commune's map that `principal` may see."""
    return [part for part, route in ROUTES.items() if ACCESS[route].lets(principal, commune_insee)]
