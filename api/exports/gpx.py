"""Rounds as GPX 1.1 (https://www.topografix.com/GPX/1/1/): a waypoint a stop, a route and a track a round.

The route is the stops in their order, for devices that guide from one to the next; the track is the way itself. The
schema fixes the order of elements: name before desc before type, waypoints before routes before tracks.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, SubElement, tostring

from api.exports.contents import RoundsFile, expected_fill, numbers
from api.phrases import Catalogue
from api.phrases.numbers import decimal
from storage.model import PlannedRoute, PlannedStop, StopKind

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may have, not even escaped."""


def gpx(content: RoundsFile, phrases: Catalogue) -> bytes:
    """Return the rounds as a GPX document, UTF-8."""
    words = phrases.labels
    root = Element("gpx", {"xmlns": "http://www.topografix.com/GPX/1/1", "version": "1.1", "creator": "Voirie"})
    about = SubElement(root, "metadata")
    _text(about, "name", f"{content.commune.name}, {content.plan.service_date}")
    _text(about, "desc", words["on_streets" if content.on_streets else "straight_lines"])
    _text(about, "time", content.plan.made_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
    for route in content.routes:
        _stops(root, "wpt", content, route, phrases)
    for route in content.routes:
        ordered = SubElement(root, "rte")
        _about(ordered, content, route, phrases)
        _stops(ordered, "rtept", content, route, phrases)
    for route in content.routes:
        track = SubElement(root, "trk")
        _about(track, content, route, phrases)
        segment = SubElement(track, "trkseg")
        for longitude, latitude in route.geometry:
            SubElement(segment, "trkpt", _at(longitude, latitude))
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _about(parent: Element, content: RoundsFile, route: PlannedRoute, phrases: Catalogue) -> None:
    _text(parent, "name", content.vehicle(route))
    _text(parent, "desc", f"{decimal(route.distance_m / 1000, phrases, digits=1)} km")
    _text(parent, "number", str(route.route_index))


def _stops(parent: Element, tag: str, content: RoundsFile, route: PlannedRoute, phrases: Catalogue) -> None:
    """Add the stops of a round that are somewhere, in their order, as points of this tag."""
    number_of = numbers(route)
    for stop in route.stops:
        if stop.longitude_deg is not None and stop.latitude_deg is not None:
            point = SubElement(parent, tag, _at(stop.longitude_deg, stop.latitude_deg))
            number = number_of.get(stop.stop_index)
            name = phrases.stops[stop.kind] if stop.place_id is None else stop.place_id
            _text(point, "name", name if number is None else f"{number}. {name}")
            _text(point, "desc", _told(content, route, stop, phrases))
            _text(point, "type", stop.kind.value)


def _told(content: RoundsFile, route: PlannedRoute, stop: PlannedStop, phrases: Catalogue) -> str:
    words = phrases.labels
    told = [content.vehicle(route), content.street(stop), content.local(stop.arrive_at).strftime("%H:%M")]
    fill = expected_fill(stop)
    if fill is not None:
        told.append(f"{words['expected_fill']} {round(fill * 100)} %")
    if stop.kind is not StopKind.BREAK:
        told.append(f"{words['load']} {round(stop.load_l)} l")
    return ", ".join(item for item in told if item)


def _at(longitude: float, latitude: float) -> dict[str, str]:
    return {"lat": f"{latitude:.6f}", "lon": f"{longitude:.6f}"}


def _text(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text)
