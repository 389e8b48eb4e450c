"""The observatory of the kerb: how bays and spaces were used in a period."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Response

from api.errors import documented
from api.here import Here, Reading
from api.models.observatory import ObservatoryModel
from storage import observatory_answers as answers
from storage.model import PlaceKind, Role
from storage.observatory_figures import By, Question

router = APIRouter(
    prefix="/communes/{commune_insee}/observatory", tags=["observatory"], responses=documented(404, 422, 503)
)


_OF_THE_COMMUNE = frozenset({Role.PARKING_MANAGER, Role.DATA_READER})
_SHORTEST = timedelta(days=7)
"""A few days of a quiet street are a few stays."""
MOST_LINES = 50_000
"""Twenty thousand bays by month are 120 MB, and `voirie observatory` writes them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What an observatory is asked, as HTTP says it."""

    since: Annotated[
        date | None, Query(alias="from", description="First local day; otherwise 28 days before the last")
    ] = None
    until: Annotated[date | None, Query(alias="to", description="Last local day; otherwise the last known")] = None
    by: Annotated[
        str,
        Query(max_length=100, description="bay, street, quarter, hour, day_class, month, with commas", examples=[""]),
    ] = ""
    kind: Annotated[PlaceKind | None, Query(description="Only delivery_bay or parking_space")] = None
    street: Annotated[str | None, Query(max_length=200, description="Only of this street")] = None
    quarter: Annotated[str | None, Query(max_length=100, description="Only of this zone")] = None
    place_id: Annotated[list[str] | None, Query(max_length=500, description="Only these bays and spaces")] = None
    compare: Annotated[
        str | None, Query(max_length=30, description="Another period, FROM..TO, or previous: as long, just before")
    ] = None


Asking = Annotated[Asked, Depends(Asked)]


@router.get("", summary="How the kerb was used", response_model=ObservatoryModel)
def show_usage(here: Reading, asked: Asking) -> Response:
    """Return occupancy, turnover, dwells, overstays, saturation and who found no place, group by group."""
    document = answers.document(here.insee, _compared(here, asked))
    return Response(msgspec.json.encode(document), media_type="application/json")


@router.get(".csv", summary="How the kerb was used, as a table", response_class=Response)
def export_usage(here: Reading, asked: Asking) -> Response:
    """Return the same as CSV: UTF-8, commas, a line for each group under the names of the figures."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(answers.table(_compared(here, asked)))
    name = f"observatoire-{here.insee}.csv"
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename={name}"},
    )


def _compared(here: Here, asked: Asked) -> answers.Compared:
    first, end = answers.period(here.connection, here.insee, since=asked.since, until=asked.until)
    question = Question(
        since=first,
        until=end,
        by=answers.by_of(asked.by),
        kind=asked.kind,
        street=asked.street,
        quarter=asked.quarter,
        place_ids=None if asked.place_id is None else tuple(asked.place_id),
        most=MOST_LINES,
    )
    other = None if asked.compare is None else answers.other_period(asked.compare, question)
    if here.principal.roles_in(here.insee).isdisjoint(_OF_THE_COMMUNE):
        _refuse_what_is_single(question, other)
    return answers.compared(here.connection, here.insee, question, other)


def _refuse_what_is_single(question: Question, other: Question | None) -> None:
    """Raise HTTPException 403 when one place or a few days are asked about: who works for a territory reads sums."""
    if question.place_ids is not None or By.BAY in question.by:
        raise HTTPException(403, "a territory reads streets and quarters, no single bay or space")
    for asked in (question, other):
        if asked is not None and asked.until - asked.since < _SHORTEST:
            raise HTTPException(403, f"a territory reads periods of {_SHORTEST.days} days or more")
