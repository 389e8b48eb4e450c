"""Plans: only those that the checker accepted, whole, each stop and each bin left out with its reason."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.types.json import Jsonb

from storage import plan_versions, plans
from storage.database import connect, statement
from storage.errors import ConflictError, NotFoundError, PlanRefusedError
from storage.model import Plan, PlanOrigin, PlanSource, PlanStatus
from tests.storage.town import INSEE, NOON, Town, plan

ACCEPTED = {"accepted": True, "violations": []}
REFUSALS = [
    pytest.param({"accepted": False, "violations": ["capacity"]}, id="refused"),
    pytest.param({}, id="no verdict"),
    pytest.param({"accepted": None}, id="unknown verdict"),
    pytest.param({"accepted": "true"}, id="a word is no verdict"),
    pytest.param({"accepted": 1}, id="a number is no verdict"),
    pytest.param({"checked": {"accepted": True}}, id="verdict of something else"),
]


@pytest.mark.parametrize("checker", REFUSALS)
def test_plan_that_the_checker_did_not_accept_is_not_saved(town: Town, checker: dict[str, Any]):
    with pytest.raises(PlanRefusedError, match="did not accept"):
        plans.save(town.connection, plan(checker=checker))
    assert plans.latest(town.connection, INSEE) is None


@pytest.mark.parametrize("checker", REFUSALS)
def test_not_even_by_sql(town: Town, checker: dict[str, Any]):
    row = asdict(plan(checker=ACCEPTED)) | {"checker": Jsonb(checker), "inputs": Jsonb({})}
    with pytest.raises(psycopg.errors.CheckViolation, match="plan_checker_check"), town.connection.transaction():
        town.connection.execute(statement("plans", "save_plan"), row)
    plans.save(town.connection, plan(checker=ACCEPTED))
    with pytest.raises(psycopg.errors.CheckViolation, match="plan_checker_check"):
        town.connection.execute("UPDATE plan SET checker = %s", [Jsonb(checker)])


def test_plan_comes_back_as_it_went_in(town: Town):
    saved = plan(checker=ACCEPTED)
    plans.save(town.connection, saved)
    town.connection.commit()
    assert plans.one(town.connection, INSEE, saved.plan_id) == saved


def test_plan_is_saved_whole_or_not_at_all(town: Town):
    whole = plan(checker=ACCEPTED)
    stop_without_reason = replace(whole.routes[0].stops[1], reason=None)
    wrong = replace(whole, routes=(replace(whole.routes[0], stops=(stop_without_reason,)),))
    with pytest.raises(psycopg.errors.CheckViolation), town.connection.transaction():
        plans.save(town.connection, wrong)
    assert plans.latest(town.connection, INSEE) is None


def test_latest_is_of_the_newest_day_then_the_newest_made(town: Town):
    tomorrow, after = date(2026, 3, 11), date(2026, 3, 12)
    first = plan(checker=ACCEPTED, service_date=tomorrow, made_at=NOON)
    again = plan(checker=ACCEPTED, service_date=tomorrow, made_at=NOON + timedelta(hours=2))
    later = plan(checker=ACCEPTED, service_date=after, made_at=NOON + timedelta(hours=1))
    for item in (first, again, later):
        plans.save(town.connection, item)
    assert plans.latest(town.connection, INSEE) == later
    assert plans.latest(town.connection, INSEE, service_date=tomorrow) == again
    assert plans.latest(town.connection, INSEE, service_date=date(2026, 3, 13)) is None
    assert plans.planned_dates(town.connection, INSEE, since=after) == {after}
    assert plans.planned_dates(town.connection, INSEE, since=tomorrow) == {tomorrow, after}


def test_plan_of_another_commune_is_not_found(town: Town):
    saved = plan(checker=ACCEPTED)
    plans.save(town.connection, saved)
    with pytest.raises(NotFoundError, match="commune 75056 has no plan"):
        plans.one(town.connection, "75056", saved.plan_id)
    with pytest.raises(NotFoundError):
        plans.one(town.connection, INSEE, uuid4())


def test_listeners_hear_of_a_plan_when_it_is_committed(town: Town, any_database_url: str):
    saved = plan(checker=ACCEPTED)
    with connect(any_database_url, autocommit=True) as listener:
        listener.execute("LISTEN voirie_live")
        plans.save(town.connection, saved)
        assert list(listener.notifies(timeout=0.2)) == []
        town.connection.commit()
        (heard,) = listener.notifies(timeout=10, stop_after=1)
    assert json.loads(heard.payload) == {"kind": "plan", "commune_insee": INSEE, "plan_id": str(saved.plan_id)}


def drafted(town: Town, based_on: Plan, **changes: Any) -> Plan:
    made = plan(checker=ACCEPTED, made_at=NOON + timedelta(hours=1))
    source = PlanSource(origin=PlanOrigin.EDITED, based_on=based_on.plan_id, made_by="Chef", **changes)
    plans.save(town.connection, made, source=source, publish=False)
    return made


def test_a_draft_is_nobodys_plan_until_it_is_published(town: Town):
    first = plan(checker=ACCEPTED)
    plans.save(town.connection, first)
    draft = drafted(town, first, edits=({"kind": "drop", "place_id": "COR-0001"},), difference={"stops": 1})
    assert plans.latest(town.connection, INSEE) == first
    made = plan_versions.publish(town.connection, INSEE, draft.plan_id, by="Chef", at=NOON + timedelta(hours=2))
    assert (made.status, made.version, made.based_on) == (PlanStatus.PUBLISHED, 2, first.plan_id)
    assert (made.published_by, made.published_at) == ("Chef", NOON + timedelta(hours=2))
    assert made.edits == [{"kind": "drop", "place_id": "COR-0001"}]
    assert plans.latest(town.connection, INSEE) == draft
    # Said again, it is the same.
    assert plan_versions.publish(town.connection, INSEE, draft.plan_id, by="Other", at=NOON) == made
    day = plan_versions.of_day(town.connection, INSEE, service_date=first.service_date)
    assert [(found.plan_id, found.status, found.version) for found in day] == [
        (first.plan_id, PlanStatus.SUPERSEDED, 1),
        (draft.plan_id, PlanStatus.PUBLISHED, 2),
    ]
    audit = plan_versions.audit(town.connection, INSEE, service_date=first.service_date)
    assert [(deed.plan_id, deed.action, deed.done_by) for deed in audit] == [
        (first.plan_id, "drafted", "voirie"),
        (first.plan_id, "published", "voirie"),
        (draft.plan_id, "drafted", "Chef"),
        (first.plan_id, "superseded", "Chef"),
        (draft.plan_id, "published", "Chef"),
    ]


def test_a_draft_of_a_plan_that_is_past_is_not_published(town: Town):
    first = plan(checker=ACCEPTED)
    plans.save(town.connection, first)
    one, other = drafted(town, first), drafted(town, first)
    plan_versions.publish(town.connection, INSEE, one.plan_id, by="Chef", at=NOON)
    with pytest.raises(ConflictError, match=r"version 2\) is published meanwhile"):
        plan_versions.publish(town.connection, INSEE, other.plan_id, by="Chef", at=NOON)
    assert plan_versions.discard(town.connection, INSEE, other.plan_id, by="Chef", at=NOON).status is (
        PlanStatus.DISCARDED
    )
    with pytest.raises(ConflictError, match="only a draft can be discarded"):
        plan_versions.discard(town.connection, INSEE, one.plan_id, by="Chef", at=NOON)
    with pytest.raises(ConflictError, match="only a draft can be published"):
        plan_versions.publish(town.connection, INSEE, other.plan_id, by="Chef", at=NOON)


def test_the_audit_is_only_added_to(town: Town):
    plans.save(town.connection, plan(checker=ACCEPTED))
    for rewriting in ("UPDATE plan_audit SET done_by = 'nobody'", "DELETE FROM plan_audit"):
        with pytest.raises(psycopg.errors.IntegrityError, match="only ever added"), town.connection.transaction():
            town.connection.execute(rewriting)  # type: ignore[arg-type] # constants of this test
