"""Which reader reads which form. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from storage.place_files.antibes import read_antibes
from storage.place_files.cerema import read_cerema
from storage.place_files.generic import read_csv
from storage.place_files.geojson import read_geojson
from storage.place_files.hauts_de_seine import read_hauts_de_seine
from storage.place_files.lines import MOST_BYTES, Defaults, PlaceFile, PlaceForm, refused

_READERS: Mapping[PlaceForm, Callable[[bytes, Defaults], PlaceFile]] = {
    PlaceForm.CEREMA: read_cerema,
    PlaceForm.HAUTS_DE_SEINE: read_hauts_de_seine,
    PlaceForm.ANTIBES: read_antibes,
    PlaceForm.CSV: read_csv,
    PlaceForm.GEOJSON: read_geojson,
}


def read_places(content: bytes, form: PlaceForm, defaults: Defaults | None = None) -> PlaceFile:
    """Read a whole file of places. Never raises: faults are listed with their line, column and reason."""
    if len(content) > MOST_BYTES:
        return refused(f"expected at most {MOST_BYTES} bytes, got {len(content)} or more: split the file")
    return _READERS[form](content, defaults or Defaults())
