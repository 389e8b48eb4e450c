"""What the simulator reads out of OpenStreetMap's tags: streets a vehicle may use, and points that draw people.

Meanings from the OpenStreetMap wiki: Key:highway, Key:oneway, Key:access, Key:amenity, Key:shop, Key:public_transport.
"""

from __future__ import annotations

from collections.abc import Mapping

_CAR = frozenset(
    {
        *("motorway", "motorway_link", "trunk", "trunk_link", "primary", "primary_link", "secondary"),
        *("secondary_link", "tertiary", "tertiary_link", "unclassified", "residential", "living_street"),
        *("service", "road"),
    }
)
FRONTED = frozenset({"primary", "secondary", "tertiary", "unclassified", "residential", "living_street", "road"})
"""Classes of street that houses stand along; bins, bays and spaces are placed on these only."""

_NO = frozenset({"no", "private", "agricultural", "forestry", "military", "emergency", "delivery", "bus", "psv"})
_PRIVATE_SERVICE = frozenset({"driveway", "parking_aisle", "drive-through", "emergency_access"})
_NOT_A_SHOP = frozenset({"no", "vacant"})

_AMENITY = {
    "food": {"restaurant", "cafe", "fast_food", "bar", "pub", "ice_cream", "food_court", "biergarten"},
    "school": {"school", "kindergarten", "college", "university", "library"},
    "market": {"marketplace"},
    "office": {"townhall", "courthouse", "bank", "post_office", "clinic", "hospital", "doctors", "community_centre"},
    "leisure": {"cinema", "theatre", "nightclub", "arts_centre"},
}
_KIND_OF_AMENITY = {value: kind for kind, values in _AMENITY.items() for value in values}
_PARKS = frozenset({"park", "garden", "playground", "pitch", "dog_park"})
_STOPS = frozenset({"tram_stop", "station", "halt", "subway_entrance"})

POINT_KINDS = ("shop", "food", "transport", "school", "park", "market", "office", "leisure")


def car_directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Return whether a car may drive the way forwards and backwards; (False, False) when it is no street for cars."""
    highway = tags.get("highway", "")
    if highway not in _CAR or tags.get("area") == "yes" or tags.get("service") in _PRIVATE_SERVICE:
        return False, False
    # The more specific key decides, as the wiki's page on access says.
    for key in ("motorcar", "motor_vehicle", "vehicle", "access"):
        if key in tags:
            if tags[key] in _NO:
                return False, False
            break
    oneway = tags.get("oneway", "")
    if oneway in {"-1", "reverse"}:
        return False, True
    implied = highway in {"motorway", "motorway_link"} or tags.get("junction") in {"roundabout", "circular"}
    return True, not (oneway in {"yes", "1", "true"} or (implied and oneway != "no"))


def point_kind(tags: Mapping[str, str]) -> str | None:
    """Return what kind of point of interest these tags describe, None when none that matters to a street bin."""
    kind = _KIND_OF_AMENITY.get(tags.get("amenity", ""))
    if kind is None and tags.get("shop", "no") not in _NOT_A_SHOP:
        kind = "shop"
    if kind is None and (
        tags.get("highway") == "bus_stop"
        or tags.get("railway") in _STOPS
        or tags.get("public_transport") in {"platform", "station", "stop_position"}
    ):
        kind = "transport"
    if kind is None and tags.get("leisure") in _PARKS:
        kind = "park"
    if kind is None and "office" in tags:
        kind = "office"
    if kind is None and tags.get("tourism") in {"hotel", "museum", "attraction"}:
        kind = "leisure"
    return kind
