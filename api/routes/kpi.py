"""What rounds came to, beside what was planned and what the town drove before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request, Response

from api.errors import InvalidFileError, documented
from api.here import Here, Reading, Writing
from api.kpi_csv import kpi_csv
from api.models.kpi import FormerRoundsModel, FormerTakenModel, KpiModel, KpisModel
from api.noting import note_import
from api.state import state_of
from storage import kpi
from storage.former_file import read_former
from storage.model import FormerRound, Kpi, KpiBy

router = APIRouter(prefix="/communes/{commune_insee}", tags=["plans"], responses=documented(404, 413, 422, 503))

_CSV = "text/csv"
_DAYS = 28

First = Annotated[
    date | None, Query(alias="from", description=f"First local day; without it {_DAYS} days before the last")
]
Last = Annotated[date | None, Query(alias="to", description="Last local day, included; without it yesterday")]
By = Annotated[KpiBy, Query(description="What figures are summed by")]


@router.get("/kpi", summary="Rounds planned, done, and before")
def kpis(request: Request, here: Reading, first: First = None, last: Last = None, by: By = KpiBy.DAY) -> KpisModel:
    """Return kilometres, hours, bins, fill at emptying, overflows and CO2. What is not known is null, never 0."""
    days = _days(here, first, last)
    factor = state_of(request)["options"].co2_kg_per_km
    found = _figures(request, here, days, by)
    return KpisModel(
        first=days[0], last=days[1], by=by, co2_kg_per_km=factor, kpis=[KpiModel.of(item) for item in found]
    )  # fmt: skip


@router.get(
    "/kpi.csv",
    summary="The same as a file",
    response_class=Response,
    responses={200: {"description": "CSV", "content": {_CSV: {"schema": {"type": "string"}}}}},
)
def kpis_file(request: Request, here: Reading, first: First = None, last: Last = None, by: By = KpiBy.DAY) -> Response:
    """Return the figures as CSV, one line a day, sector or month; what is not known is empty."""
    days = _days(here, first, last)
    headers = {"Content-Disposition": f'attachment; filename="kpi-{here.insee}-{days[0]}-{days[1]}.csv"'}
    return Response(
        kpi_csv(_figures(request, here, days, by)), media_type=f"{_CSV}; charset=utf-8", headers=headers
    )  # fmt: skip


@router.get("/former-rounds", summary="The town's former rounds")
def former_rounds(here: Reading) -> FormerRoundsModel:
    """Return what the town drove before, by sector and weekday: what figures are compared with."""
    return FormerRoundsModel.of(kpi.former_rounds(here.connection, here.insee))


@router.post("/former-rounds.csv", summary="Tell the town's former rounds")
def tell_former_rounds(
    here: Writing,
    body: Annotated[bytes, Body(media_type=_CSV, description="CSV, UTF-8: sector, weekday, km, hours, bins")],
    dry_run: Annotated[bool, Query(description="Look for faults and write nothing")] = False,  # noqa: FBT002 - a query
) -> FormerTakenModel:
    """Replace the former rounds by those of a CSV file, all of it or nothing and every fault with its line."""
    lines, errors = read_former(body, complete=True)
    if errors:
        raise InvalidFileError(errors)
    rounds = [
        FormerRound(
            sector=line.sector, weekday=line.weekday, km=line.km or 0.0, hours=line.hours or 0.0, bins=line.bins
        )
        for line in lines
    ]  # fmt: skip
    if not dry_run:
        kpi.save_former(here.connection, here.insee, rounds)
        note_import(here, "former_rounds", body, rounds=len(rounds))
    return FormerTakenModel(rounds=len(rounds), dry_run=dry_run)


def _days(here: Here, first: date | None, last: date | None) -> tuple[date, date]:
    until = last or here.today - timedelta(days=1)
    return first or until - timedelta(days=_DAYS - 1), until


def _figures(request: Request, here: Here, days: tuple[date, date], by: KpiBy) -> list[Kpi]:
    factor = state_of(request)["options"].co2_kg_per_km
    return kpi.figures(here.connection, here.insee, first=days[0], last=days[1], by=by, co2_kg_per_km=factor)
