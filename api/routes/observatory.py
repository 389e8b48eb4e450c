"""The observatory of the kerb: how bays and spaces were used in a period."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Query, Response

from api.errors import documented
from api.here import Here, Reading
from api.models.observatory import ObservatoryModel
from api.territory_sums import last_month, require_enough, require_whole_months, withheld
from storage import observatory_answers as answers
from storage.model import PlaceKind, Role
from storage.observatory_figures import By, Group, Question, answer

router = APIRouter(
    prefix="/communes/{commune_insee}/observatory", tags=["observatory"], responses=documented(404, 422, 503)
)


_DAY = timedelta(days=1)
_OF_THE_COMMUNE = frozenset({Role.PARKING_MANAGER, Role.DATA_READER})
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
    of_a_territory = here.principal.roles_in(here.insee).isdisjoint(_OF_THE_COMMUNE)
    first, end = answers.period(here.connection, here.insee, since=asked.since, until=asked.until)
    if of_a_territory and asked.since is None and asked.until is None:
        first, last = last_month(end)
        end = last + _DAY
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
    if not of_a_territory:
        return answers.compared(here.connection, here.insee, question, other)
    out = _withheld(here, [question] if other is None else [question, other])
    told = answers.compared(here.connection, here.insee, question, other)
    return replace(told, lines=tuple(line for line in told.lines if _key(line.group) not in out))


type _Key = tuple[str | None, str | None, date | None]


def _key(group: Group) -> _Key:
    return group.street, group.quarter, group.month


def _withheld(here: Here, questions: list[Question]) -> set[_Key]:
    """Return the groups that a territory is not told. Raises HTTPException 403 for what it may not ask at all."""
    periods: list[dict[_Key, int]] = []
    _, known_until = answers.period(here.connection, here.insee, since=None, until=None)
    for question in questions:
        if question.of_bays:
            raise HTTPException(403, "a territory reads streets and quarters, no single bay or space")
        require_whole_months(question.since, question.until - _DAY, before=known_until)
        chosen = replace(question, by=question.by - {By.HOUR, By.DAY_CLASS})
        if (question.kind, question.street, question.quarter) != (None, None, None):
            # Whatever was chosen, all the rest is what is left of the whole.
            some, every = (
                sum(group.places or 0 for group in answer(here.connection, here.insee, asked))
                for asked in (
                    replace(chosen, by=frozenset()),
                    replace(chosen, by=frozenset(), kind=None, street=None, quarter=None),
                )
            )
            require_enough(some, every)
        months: dict[date | None, dict[_Key, int]] = {}
        for group in answer(here.connection, here.insee, chosen):
            months.setdefault(group.month, {})[_key(group)] = group.places or 0
        periods += months.values()
    return withheld(periods)
