"""What is stored of a person is found and erased everywhere, and the audit's chains stay whole."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from storage import accounts, audit, checks, people, plans, retention, vehicle_events
from storage.database import Connection, connect
from storage.errors import InputError, NotFoundError
from storage.model import CheckAct, CheckCause, CheckEvent, Grant, PlanSource, Role, VehicleEvent, VehicleEventKind
from storage.personal_data import TREATMENTS
from storage.retention_kinds import RetentionOptions
from tests.storage.town import INSEE, NOON, Town, plan

NAME = "Anne O'Brien (équipe 2)"
LOGIN = "anne@ville.example"


def tell(town: Town) -> None:
    """Let Anne, and Bob beside her, do what is recorded under a name."""
    connection = town.connection
    account = accounts.add(connection, name=LOGIN, display_name=NAME, password="correct horse battery staple")
    accounts.grant(connection, account.account_id, Grant(commune_insee=INSEE, role=Role.OFFICER))
    accounts.open_session(
        connection, account.account_id, lasts=timedelta(hours=9), idle=timedelta(hours=1), user_agent="x", now=NOON
    )
    accounts.prove(connection, name=LOGIN, password="wrong", address="203.0.113.7", now=NOON)
    audit.record(connection, INSEE, NAME, "key.added", "key:1", {"for": [NAME, "Bob"], NAME: 1})
    connection.commit()
    for by, comment in ((NAME, f"vu avec {NAME.upper()}, parti"), ("Bob", "rien"), ("Bob", f"appeler {LOGIN}")):
        event = CheckEvent(
            event_id=uuid4(), place_id="ADL-01", act=CheckAct.CLOSED, told_by=by, cause=CheckCause.GONE,
            comment=comment, happened_at=NOON,
        )  # fmt: skip
        checks.close(connection, INSEE, event, now=NOON)
        connection.commit()
    plans.save(connection, plan(checker={"accepted": True}), source=PlanSource(made_by=NAME))
    connection.execute(
        "INSERT INTO device_change (commune_insee, device_id, kind, happened_at, author, comment)"
        " VALUES (%s, %s, 'commented', %s, %s, %s)",
        [INSEE, town.bin_device, NOON, NAME, f"posé par {NAME}"],
    )
    vehicle_events.declare(
        connection,
        [
            VehicleEvent(
                commune_insee=INSEE, event_id=uuid4(), vehicle_id="BOM-1", kind=VehicleEventKind.BROKEN,
                happened_at=NOON, comment=f"{NAME} a prévenu",
            )
        ],
    )  # fmt: skip
    connection.commit()


def everything(connection: Connection) -> str:
    """Return every column that is said to tell about a person, as one text."""
    parts = []
    for treatment in TREATMENTS:
        for traces in treatment.traces:
            columns = "||".join(f"coalesce({name}::text, '')" for name in traces.columns)
            rows = connection.execute(f"SELECT {columns} FROM {traces.table}")
            parts += [row[0] for row in rows]
    return "\n".join(parts)


def test_export_finds_all_and_erasing_leaves_nothing_but_what_was_done(town: Town):
    connection = town.connection
    tell(town)
    before = everything(connection)
    person = people.find(connection, NAME.lower())
    assert people.find(connection, LOGIN) == person
    assert people.find(connection, str(person.account_id)) == person
    found = people.export(connection, person)
    assert {table: len(rows) for table, rows in found.items()} == {
        "account": 1, "account_grant": 1, "login_session": 1, "audit_note": 1, "kerb_check_event": 2,
        "plan_version": 1, "plan_audit": 2, "vehicle_event": 1, "device_change": 1,
    }  # fmt: skip
    assert "password_hash" not in found["account"][0]
    entries = audit.examine(connection, INSEE).entries
    connection.execute("SELECT 1")

    done = people.erase(connection, person, actor="operator:root")
    connection.commit()
    after = everything(connection)
    for trace in (NAME, NAME.upper(), LOGIN):
        assert trace in before
        assert trace.lower() not in after.lower().replace(f'"{NAME.lower()}": 1', ""), "a key of JSON is no name"
    assert "Bob" in after
    assert f"vu avec {done.pseudonym}, parti" in after
    assert people.export(connection, person) == {}
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM login_session), "
        "(SELECT count(*) FROM login_failure)"
    ).fetchone()
    assert counts == (0, 0, 1), "the address's failure stays, it is nobody's"

    chain = audit.examine(connection, INSEE)
    assert chain.broken is None
    assert chain.entries == entries + 1
    assert chain.resealed == done.resealed > 0
    assert audit.examine(connection, audit.INSTALLATION).broken is None
    with pytest.raises(NotFoundError, match="nothing is stored of"):
        people.erase(connection, people.find(connection, NAME), actor="operator:root")


def test_what_is_altered_beside_an_erasure_still_shows(town: Town):
    connection = town.connection
    tell(town)
    people.erase(connection, people.find(connection, NAME), actor="operator:root")
    connection.commit()
    connection.execute("SET session_replication_role = replica")
    connection.execute("UPDATE kerb_check_event SET comment = 'autre' WHERE comment LIKE 'vu avec%'")
    connection.execute("SET session_replication_role = origin")
    broken = audit.examine(connection, INSEE).broken
    assert broken is not None
    assert "was altered" in broken.why


def test_erasing_an_erased_chain_again_is_explained_too(town: Town):
    tell(town)
    for who in (NAME, "Bob"):
        people.erase(town.connection, people.find(town.connection, who), actor="operator:root")
        town.connection.commit()
    assert audit.examine(town.connection, INSEE).broken is None
    assert "Bob" not in everything(town.connection)


def test_names_go_with_time_and_records_stay(town: Town, any_database_url: str):
    tell(town)
    options = RetentionOptions(names_days=40)
    with connect(any_database_url, autocommit=True) as connection:
        for now, gone in ((NOON + timedelta(days=39), False), (NOON + timedelta(days=40), True)):
            done = {
                one.kind: one.rows for one in retention.forget(connection, {INSEE: now}, wall_now=NOON, options=options)
            }
            assert (done["names"] > 0) is gone
        rows = connection.execute(
            "SELECT made_by, published_by, done_by FROM plan_version JOIN plan_audit USING (plan_id)"
        ).fetchall()
        assert set(rows) == {("forgotten", "forgotten", "forgotten")}
        assert connection.execute("SELECT count(*) FROM vehicle_event WHERE comment IS NULL").fetchone() == (1,)
        chain = audit.examine(connection, INSEE)
        assert chain.broken is None
        assert chain.resealed == 3
        assert chain.forgotten == 0


def test_a_name_that_is_none_is_refused_and_two_shown_alike_are_told_apart(town: Town):
    with pytest.raises(InputError, match="expected a name"):
        people.find(town.connection, " ")
    for name in ("a@ville.example", "b@ville.example"):
        accounts.add(town.connection, name=name, display_name="Claude", password=None)
    with pytest.raises(InputError, match=r"name one of a@ville.example, b@ville.example"):
        people.find(town.connection, "Claude")
