"""The audit trail shows tampering: whatever is altered, taken away, moved or cut off is found, and named."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.auditing import fingerprints, note_settings
from config.settings import Settings
from storage import audit, checks, retention
from storage.audit_chain import START, Link, digest_of, seal_of, verify
from storage.database import Connection, connect
from storage.isolation import CommunePool
from storage.model import CheckAct, CheckCause, CheckEvent
from storage.retention_kinds import RetentionOptions
from tests.api.serving import as_web
from tests.storage.town import INSEE, NOON, Town


def note(connection: Connection, subject: str = "account:1") -> None:
    audit.record(connection, INSEE, "account:9", "account.created", subject, {"roles": ["driver"]})


def tap(connection: Connection, by: str = "Patrouille 1") -> None:
    event = CheckEvent(
        event_id=uuid4(), place_id="ADL-01", act=CheckAct.CLOSED, told_by=by, cause=CheckCause.GONE, comment=None,
        happened_at=NOON,
    )  # fmt: skip
    checks.close(connection, INSEE, event, now=NOON)


@pytest.fixture
def trail(town: Town) -> Town:
    """Four entries: notes and taps of officers in turn, each in a transaction of its own."""
    for tell in (note, tap, note, tap):
        tell(town.connection)
        town.connection.commit()
    return town


def tamper(connection: Connection, statement: str) -> None:
    """As somebody who owns the database: triggers stay out."""
    connection.execute("SET session_replication_role = replica")
    assert connection.execute(statement).rowcount > 0  # type: ignore[call-overload] # constants of this file
    connection.execute("SET session_replication_role = origin")
    connection.commit()


def test_an_untouched_trail_is_whole_and_has_no_gaps(trail: Town):
    found = audit.examine(trail.connection, INSEE)
    head = audit.head(trail.connection, INSEE)
    assert (found.broken, found.entries) == (None, 4)
    assert head is not None
    assert (head.sequence, head.digest) == (4, found.head)
    assert [link.act for link in audit.links(trail.connection, INSEE)] == ["account.created", "check.closed"] * 2


@pytest.mark.parametrize(
    ("tampering", "sequence", "why"),
    [
        ("UPDATE audit_note SET actor = 'x' WHERE note_id = 2", 3, "was altered"),
        ("UPDATE audit_note SET details = '{}' WHERE note_id = 1", 1, "was altered"),
        ("UPDATE kerb_check_event SET cause = 'tolerated' WHERE true", 2, "was altered"),
        ("DELETE FROM kerb_check_event WHERE true", 2, "is gone"),
        ("DELETE FROM audit_note WHERE note_id = 2", 3, "is gone"),
        ("UPDATE audit_salt SET salt = sha256('') WHERE sequence = 2", 2, "was altered"),
        ("DELETE FROM audit_salt WHERE sequence = 3", 3, "salt is gone"),
        ("UPDATE audit_entry SET act = 'check.taken' WHERE sequence = 2", 2, "digest"),
        ("UPDATE audit_entry SET told_at = told_at - interval '1 s' WHERE sequence = 4", 4, "digest"),
        ("UPDATE audit_entry SET seal = sha256('') WHERE sequence = 1", 1, "digest"),
        ("UPDATE audit_entry SET previous = sha256('') WHERE sequence = 3", 3, "does not follow"),
        ("DELETE FROM audit_entry WHERE sequence = 1", 1, "is not there"),
        ("DELETE FROM audit_entry WHERE sequence = 3", 3, "is not there"),
        ("DELETE FROM audit_entry WHERE sequence = 4", 4, "cut off"),
        ("UPDATE audit_entry SET sequence = CASE sequence WHEN 2 THEN 30 ELSE sequence END", 2, "is not there"),
    ],
)
def test_each_tampering_is_found_and_its_first_entry_named(trail: Town, tampering: str, sequence: int, why: str):
    tamper(trail.connection, tampering)
    broken = audit.examine(trail.connection, INSEE).broken
    assert broken is not None
    assert broken.sequence == sequence
    assert why in broken.why


def test_a_tail_that_was_cut_with_its_rows_is_found_by_the_anchor(trail: Town):
    head = audit.head(trail.connection, INSEE)
    assert head is not None
    tamper(trail.connection, "DELETE FROM audit_entry WHERE sequence >= 3")
    tamper(trail.connection, "DELETE FROM audit_note WHERE note_id = 2")
    tamper(
        trail.connection,
        "DELETE FROM kerb_check_event AS k WHERE NOT EXISTS "
        "(SELECT FROM audit_entry WHERE source_key = k.event_id::text)",
    )
    assert audit.examine(trail.connection, INSEE).broken is None, "without an anchor nobody can tell"
    broken = audit.examine(trail.connection, INSEE, anchors={head.sequence: head.digest}).broken
    assert broken is not None
    assert (broken.sequence, "cut off" in broken.why) == (3, True)


@pytest.mark.parametrize("table", ["audit_note", "audit_entry"])
@pytest.mark.parametrize("rewriting", ["UPDATE {} SET act = 'a.b'", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_rewrite_the_trail(trail: Town, table: str, rewriting: str):
    with pytest.raises(psycopg.errors.RestrictViolation, match="never changed"):
        trail.connection.execute(rewriting.format(table))  # type: ignore[call-overload] # constants of this file
    trail.connection.rollback()


@pytest.mark.parametrize(
    "forging",
    [
        "INSERT INTO audit_entry SELECT * FROM audit_entry",
        "INSERT INTO audit_salt SELECT * FROM audit_salt",
        "UPDATE audit_note SET actor = 'x'",
        "DELETE FROM audit_salt",
        "SELECT voirie_audit_chain()",
    ],
)
def test_the_web_server_can_note_and_forge_nothing(trail: Town, forging: str):
    trail.connection.execute("SELECT 1")
    CommunePool.act_for(trail.connection, [INSEE])
    note(trail.connection)
    audit.record(trail.connection, audit.INSTALLATION, "visitor", "login.refused")
    trail.connection.commit()
    assert audit.examine(trail.connection, INSEE).entries == 5
    assert audit.examine(trail.connection, audit.INSTALLATION).entries == 1
    CommunePool.act_for(trail.connection, [INSEE])
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.FeatureNotSupported)):
        trail.connection.execute(forging)  # type: ignore[call-overload] # constants of this file
    trail.connection.rollback()


def test_the_web_server_notes_nothing_in_another_communes_trail(trail: Town):
    CommunePool.act_for(trail.connection, ["75056"])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        note(trail.connection)
    trail.connection.rollback()


def test_writers_at_once_leave_no_gap(trail: Town, any_database_url: str):
    each, writers = 15, 4
    start = threading.Barrier(writers)

    def write() -> None:
        with connect(any_database_url) as connection:
            start.wait()
            for _ in range(each):
                note(connection)
                connection.commit()
            note(connection, "rolled back: leaves neither entry nor gap")
            connection.rollback()

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = audit.examine(trail.connection, INSEE)
    assert (found.broken, found.entries) == (None, 4 + each * writers)


def test_what_retention_took_in_time_breaks_nothing(trail: Town, any_database_url: str):
    with trail.connection.transaction():
        # As if the first two had been told 500 days ago, before the chain's third entry.
        trail.connection.execute("SET LOCAL session_replication_role = replica")
        trail.connection.execute("DELETE FROM audit_entry WHERE true")
        trail.connection.execute("DELETE FROM audit_salt WHERE true")
        trail.connection.execute("DELETE FROM audit_note WHERE true")
        trail.connection.execute("DELETE FROM kerb_check_event WHERE true")
    trail.connection.execute(
        "INSERT INTO kerb_check_event (commune_insee, event_id, place_id, act, cause, told_by, happened_at, told_at) "
        "SELECT %s, gen_random_uuid(), 'ADL-01', 'closed', 'gone', 'P', told, told "
        "FROM (SELECT now() - INTERVAL '500 days' AS told)",
        [INSEE],
    )
    tap(trail.connection)
    trail.connection.commit()
    with connect(any_database_url, autocommit=True) as connection:
        row = connection.execute("SELECT now()").fetchone()
        assert row is not None
        retention.forget(connection, {INSEE: NOON}, wall_now=row[0], options=RetentionOptions())
    found = audit.examine(trail.connection, INSEE)
    assert (found.broken, found.forgotten) == (None, 1)
    # But what it did not name is missed.
    tamper(trail.connection, "DELETE FROM kerb_check_event WHERE told_by = 'Patrouille 1'")
    broken = audit.examine(trail.connection, INSEE).broken
    assert broken is not None
    assert broken.sequence == 2


# --- the auditor alone -----------------------------------------------------------------------------------------------


def chain_of(contents: list[str]) -> list[Link]:
    links: list[Link] = []
    previous = START
    for number, content in enumerate(contents, start=1):
        salt = number.to_bytes(32)
        link = Link(
            sequence=number, chained_at=NOON, told_at=NOON, act="a.b", source="plan_audit", source_key=str(number),
            seal=seal_of(salt, content), previous=previous, digest=b"", salt=salt, content=content,
        )  # fmt: skip
        link = replace(link, digest=digest_of(INSEE, link))
        previous = link.digest
        links.append(link)
    return links


ALTERED: dict[str, Callable[[Link], object]] = {
    "sequence": lambda link: link.sequence + 1,
    "chained_at": lambda link: link.chained_at.replace(microsecond=1),
    "told_at": lambda link: link.told_at.replace(microsecond=1),
    "act": lambda link: link.act + "c",
    "source": lambda _: "kerb_check_event",
    "source_key": lambda link: link.source_key + "0",
    "seal": lambda link: bytes([link.seal[0] ^ 1]) + link.seal[1:],
    "previous": lambda link: link.previous[:-1] + bytes([link.previous[-1] ^ 1]),
    "digest": lambda link: link.digest[:-1] + bytes([link.digest[-1] ^ 128]),
    "salt": lambda link: bytes(32) if link.salt != bytes(32) else None,
    "content": lambda link: (link.content or "") + " ",
}


@given(
    contents=st.lists(st.text(max_size=20), min_size=1, max_size=8),
    where=st.integers(min_value=0, max_value=7),
    column=st.sampled_from(sorted(ALTERED)),
)
def test_any_single_alteration_is_found_where_it_is(contents: list[str], where: int, column: str):
    links = chain_of(contents)
    assert verify(INSEE, links).broken is None
    at = where % len(links)
    links[at] = replace(links[at], **{column: ALTERED[column](links[at])})  # type: ignore[arg-type]
    broken = verify(INSEE, links).broken
    assert broken is not None
    assert broken.sequence == at + 1


@given(
    contents=st.lists(st.text(max_size=20), min_size=2, max_size=8),
    first=st.integers(min_value=0, max_value=7),
    second=st.integers(min_value=0, max_value=7),
)
def test_entries_that_changed_places_or_went_are_found(contents: list[str], first: int, second: int):
    links = chain_of(contents)
    head = links[-1]
    one, other = sorted((first % len(links), second % len(links)))
    if one != other:
        swapped = links.copy()
        swapped[one], swapped[other] = swapped[other], swapped[one]
        broken = verify(INSEE, swapped).broken
        assert broken is not None
        assert broken.sequence == one + 1
    without = verify(INSEE, links[:one] + links[one + 1 :], anchors={head.sequence: head.digest}).broken
    assert without is not None
    assert without.sequence == one + 1


def test_settings_are_noted_when_they_change_and_say_nothing_of_passwords(town: Town, any_database_url: str):
    settings = Settings.model_validate({"database": {"url": "postgresql://voirie:geheim@db/voirie"}})
    other = Settings.model_validate({"retention": {"checks_days": 500}})
    for told in (settings, settings, other, other, settings):
        note_settings(any_database_url, told, service="worker")
    note_settings(as_web(any_database_url), settings, service="api", as_api=True)
    rows = town.connection.execute(
        "SELECT subject, details FROM audit_note WHERE act = 'settings.in_force' ORDER BY note_id"
    ).fetchall()
    assert [subject for subject, _ in rows] == ["worker", "worker", "worker", "api"]
    first, second, third, _ = (details for _, details in rows)
    assert first == third == fingerprints(settings)
    assert {name for name in first if first[name] != second[name]} == {"retention"}
    assert all(len(digest) == 64 for digest in first.values())
    assert fingerprints(settings) == fingerprints(Settings()), "where the database is, is no part of it"
    found = audit.examine(town.connection, audit.INSTALLATION)
    assert (found.broken, found.entries) == (None, 4)
