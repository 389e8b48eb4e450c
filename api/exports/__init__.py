"""Rounds as files: GPX for navigation, GeoJSON for maps, a sheet for paper."""

from api.exports.contents import RoundsFile, rounds_file
from api.exports.forms import Form, written

__all__ = ["Form", "RoundsFile", "rounds_file", "written"]
