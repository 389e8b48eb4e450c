"""Figures of rounds as CSV, for spreadsheets: one line a day, sector or month. Empty is not known, never 0."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import asdict, fields

from api.models.kpi import saved
from storage.device_cells import escaped
from storage.model import Kpi

COLUMNS = (*(field.name for field in fields(Kpi)), "km_saved_fraction")
_DIGITS = 4


def kpi_csv(kpis: Iterable[Kpi]) -> str:
    """Return the figures as CSV with a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for kpi in kpis:
        row = asdict(kpi) | {"key": escaped(kpi.key), "km_saved_fraction": saved(kpi)}
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return text.getvalue()


def _cell(value: object) -> object:
    return round(value, _DIGITS) if isinstance(value, float) else value
