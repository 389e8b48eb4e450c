"""Which parts of a page are whose: a part is what one route answers, so that nobody sees a list that stays empty."""

from __future__ import annotations

from collections.abc import Mapping
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


DESK = MappingProxyType(
    {
        "bins": "list_bins",
        "history": "bin_history",
        "levels": "bin_levels",
        "forecasts": "list_forecasts",
        "alerts": "list_alerts",
        "devices": "list_devices",
        "plan": "latest_plan",
        "edit": "edit_plan",
        "declare": "declare",
        "export": "export_plan",
        "kpi": "kpis",
        "former": "tell_former_rounds",
        "rules": "tell_rules",
        "vehicles": "list_vehicles",
        "places": "import_table",
    }
)
"""The parts of the desk's pages, in the same way."""


def parts_of(principal: Principal, commune_insee: str, *, routes: Mapping[str, str] = ROUTES) -> list[str]:
    """Return the parts of a page of a commune that `principal` may see."""
    return [part for part, route in routes.items() if ACCESS[route].lets(principal, commune_insee)]
