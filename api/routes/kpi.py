"""What rounds came to, beside what was planned and what the town drove before."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Query, Request, Response

from api.errors import InvalidFileError, documented
from api.here import Here, Reading, Writing
from api.kpi_csv import kpi_csv
from api.models.kpi import FormerRoundsModel, FormerTakenModel, KpiModel, KpisModel
from api.noting import note_import
from api.state import state_of
from api.territory_sums import last_month, require_whole_months
from storage import kpi
from storage.former_file import read_former
from storage.model import FormerRound, Kpi, KpiBy, Role

router = APIRouter(prefix="/communes/{commune_insee}", tags=["plans"], responses=documented(404, 413, 422, 503))

_CSV = "text/csv"
_DAYS = 28

First = Annotated[
    date | None, Query(alias="from", description=f"First local day; without it {_DAYS} days before the last")
]
Last = Annotated[date | None, Query(alias="to", description="Last local day, included; without it yesterday")]
By = Annotated[KpiBy | None, Query(description="What figures are summed by; without it `day`, for a territory `month`")]
_OF_THE_COMMUNE = frozenset({Role.DISPATCHER, Role.DATA_READER})


@router.get("/kpi", summary="Rounds planned, done, and before")
def kpis(request: Request, here: Reading, first: First = None, last: Last = None, by: By = None) -> KpisModel:
    """Return kilometres, hours, bins, fill at emptying, overflows and CO2. What is not known is null, never 0."""
    days, by = _asked(here, first, last, by)
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
def kpis_file(request: Request, here: Reading, first: First = None, last: Last = None, by: By = None) -> Response:
    """Return the figures as CSV, one line a day, sector or month; what is not known is empty."""
    days, by = _asked(here, first, last, by)
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


def _asked(here: Here, first: date | None, last: date | None, by: KpiBy | None) -> tuple[tuple[date, date], KpiBy]:
    """Return the days and what figures are summed by. Raises HTTPException 403: a territory reads whole months."""
    of_a_territory = here.principal.roles_in(here.insee).isdisjoint(_OF_THE_COMMUNE)
    if of_a_territory and first is None and last is None:
        first, last = last_month(here.today)
    until = last or here.today - timedelta(days=1)
    since = first or until - timedelta(days=_DAYS - 1)
    if not of_a_territory:
        return (since, until), by or KpiBy.DAY
    require_whole_months(since, until, before=here.today)
    if by not in {None, KpiBy.MONTH}:
        raise HTTPException(403, "a territory reads months of the whole commune: a sector or a day is a crew's work")
    return (since, until), KpiBy.MONTH


def _figures(request: Request, here: Here, days: tuple[date, date], by: KpiBy) -> list[Kpi]:
    factor = state_of(request)["options"].co2_kg_per_km
    return kpi.figures(here.connection, here.insee, first=days[0], last=days[1], by=by, co2_kg_per_km=factor)
