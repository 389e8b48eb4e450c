"""The forms that rounds are exported in."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from api.exports.contents import RoundsFile
from api.exports.geojson import geojson
from api.exports.gpx import gpx
from api.exports.sheet import sheet
from api.phrases import Catalogue


class Form(StrEnum):
    """A form of file."""

    GPX = "gpx"
    GEOJSON = "geojson"
    SHEET = "sheet"

    @property
    def media_type(self) -> str:
        """The form's name on the web."""
        return {
            Form.GPX: "application/gpx+xml",
            Form.GEOJSON: "application/geo+json",
            Form.SHEET: "text/html; charset=utf-8",
        }[self]

    @property
    def suffix(self) -> str:
        """How a file of this form is called."""
        return "html" if self is Form.SHEET else self.value


def written(form: Form, content: RoundsFile, *, phrases: Catalogue, streets: list[dict[str, Any]]) -> bytes:
    """Return rounds in a form. `streets` are GeoJSON features (`api.streets`) that a sheet draws its map on."""
    match form:
        case Form.GPX:
            return gpx(content, phrases)
        case Form.GEOJSON:
            return geojson(content)
        case Form.SHEET:
            return sheet(content, phrases=phrases, streets=streets)
