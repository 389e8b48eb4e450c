"""Rounds as files: GPX for navigation, GeoJSON for maps, a sheet for paper."""

from api.exports.contents import RoundsFile
from api.exports.forms import Form, written
from api.exports.gathering import rounds_file

__all__ = ["Form", "RoundsFile", "rounds_file", "written"]
