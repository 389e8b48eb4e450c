"""What officers told stays as it was told: the database refuses to change it, on each edition."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from storage import checks, retention
from storage.checks import CheckTakenError
from storage.database import Connection, connect
from storage.model import CheckAct, CheckCause, CheckEvent
from storage.retention_kinds import RetentionOptions
from tests.storage.town import INSEE, NOON, Town

HOLD = timedelta(minutes=15)
OURS, THEIRS = UUID(int=1), UUID(int=2)


def tap(act: CheckAct, *, minutes: float = 0, cause: CheckCause | None = None, comment: str | None = None):
    return CheckEvent(
        event_id=uuid4(), place_id="ADL-01", act=act, told_by="Patrouille 1", cause=cause, comment=comment,
        happened_at=NOON + timedelta(minutes=minutes),
    )  # fmt: skip


def close(connection: Connection, *, minutes: float = 0) -> None:
    checks.close(connection, INSEE, tap(CheckAct.CLOSED, minutes=minutes, cause=CheckCause.GONE), now=NOON)


@pytest.mark.parametrize(
    "rewriting",
    [
        "UPDATE kerb_check_event SET cause = 'tolerated'",
        "UPDATE kerb_check_event SET comment = NULL",
        "DELETE FROM kerb_check_event",
        "TRUNCATE kerb_check_event",
    ],
)
def test_the_database_refuses_to_rewrite_what_was_told(town: Town, rewriting: str):
    close(town.connection)
    town.connection.commit()
    with pytest.raises(psycopg.errors.RestrictViolation, match="never changed"):
        town.connection.execute(rewriting)  # type: ignore[arg-type] # constants of this file
    town.connection.rollback()
    (told,) = checks.log(town.connection, INSEE, since=NOON - HOLD)
    assert (told.cause, told.told_by) == (CheckCause.GONE, "Patrouille 1")


def test_what_was_told_is_forgotten_after_its_time_and_no_sooner(town: Town, any_database_url: str):
    close(town.connection)
    with town.connection.transaction():
        # As if it had been told 500 days ago.
        town.connection.execute("SET LOCAL session_replication_role = replica")
        town.connection.execute("UPDATE kerb_check_event SET told_at = now() - INTERVAL '500 days'")
    close(town.connection)
    town.connection.commit()
    (wall_now,) = town.connection.execute("SELECT now()").fetchone() or (NOON,)
    town.connection.commit()
    with connect(any_database_url, autocommit=True) as connection:
        retention.forget(connection, {INSEE: NOON}, wall_now=wall_now, options=RetentionOptions())
        assert len(checks.log(connection, INSEE, since=NOON - HOLD)) == 1
    with pytest.raises(ValueError, match="checks_days >= 367"):
        RetentionOptions(checks_days=366)


def test_a_take_excludes_others_until_it_ends(town: Town):
    connection = town.connection
    first = checks.take(connection, INSEE, tap(CheckAct.TAKEN), holder_id=OURS, hold=HOLD)
    assert first.held is not None
    with pytest.raises(CheckTakenError, match="Patrouille 1"):
        checks.take(connection, INSEE, tap(CheckAct.TAKEN, minutes=14), holder_id=THEIRS, hold=HOLD)
    longer = checks.take(connection, INSEE, tap(CheckAct.TAKEN, minutes=10), holder_id=OURS, hold=HOLD)
    assert longer.held is not None
    assert (longer.held.taken_at, longer.held.expires_at) == (NOON, NOON + timedelta(minutes=25))
    assert checks.held_now(connection, INSEE, now=NOON + timedelta(minutes=24)) == 1
    assert checks.held_now(connection, INSEE, now=NOON + timedelta(minutes=25)) == 0
    taken = checks.take(connection, INSEE, tap(CheckAct.TAKEN, minutes=26), holder_id=THEIRS, hold=HOLD)
    assert taken.held is not None
    assert (taken.held.holder_id, taken.held.taken_at) == (THEIRS, NOON + timedelta(minutes=26))


def test_a_closing_ends_the_take_and_a_late_one_ends_nothing_newer(town: Town):
    connection = town.connection
    checks.take(connection, INSEE, tap(CheckAct.TAKEN), holder_id=OURS, hold=HOLD)
    close(connection, minutes=-5)
    assert checks.holder(connection, INSEE, "ADL-01", now=NOON) is not None
    close(connection, minutes=5)
    assert checks.holder(connection, INSEE, "ADL-01", now=NOON + timedelta(minutes=5)) is None
    close(connection, minutes=2)
    row = connection.execute("SELECT closed_at, holder_id FROM kerb_check").fetchone()
    assert row == (NOON + timedelta(minutes=5), None)
    assert checks.closings(connection, INSEE)[CheckCause.GONE] == 3


def test_events_refuse_nonsense():
    for wrong in (
        {"act": CheckAct.CLOSED},
        {"act": CheckAct.TAKEN, "cause": CheckCause.GONE},
        {"act": CheckAct.TAKEN, "comment": "là"},
        {"act": CheckAct.CLOSED, "cause": CheckCause.OTHER},
    ):
        with pytest.raises(ValueError, match="expected"):
            tap(**wrong)
