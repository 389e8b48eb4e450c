"""What is stored of a person: found, written out, and erased, over every column that storage.personal_data names.

Erasing puts a pseudonym in the place of a name: what was done stays, who did it does not. Rows that the audit's chain
seals are sealed anew in the same transaction, and a note of the chain says which, so that it can still be verified
(decision "audit chain"). Needs a connection of the tables' owner.
"""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, cast
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from storage import accounts, audit
from storage.audit_chain import ERASED, seal_of
from storage.database import Connection, statement
from storage.errors import InputError, NotFoundError
from storage.personal_data import TREATMENTS, Traces

SEALED: Mapping[str, str] = MappingProxyType(
    {
        "audit_note": "note_id",
        "plan_audit": "audit_id",
        "kerb_check_event": "event_id",
        "device_change": "change_id",
    }
)
"""Tables that the audit's chain seals, with the column that is an entry's `source_key`."""
FORGOTTEN_NAME = "forgotten"
"""Stands for every name that went with time."""

_OURS = ("voirie", FORGOTTEN_NAME)
_SECRETS = frozenset({"password_hash", "key_hash", "token_hash", "id_token", "secret", "recovery_hashes"})
"""What an export leaves out: who reads it could log in, or try to."""
_SHORTEST_IN_TEXT = 3
"""A shorter name stands in too many words to be looked for in what people write."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """Somebody by all the names that records may carry; `account_id` is None for who has no account."""

    names: tuple[str, ...]
    account_id: UUID | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """What an erasure did: rows changed by table (an account's own are deleted), and what stands for the name."""

    pseudonym: str
    rows: Mapping[str, int]
    resealed: int
    account: bool


@dataclass(kw_only=True, slots=True)
class _Run:
    rows: dict[str, int] = field(default_factory=dict)
    sealed: list[tuple[str, str]] = field(default_factory=list)
    communes: set[str] = field(default_factory=set)


def find(connection: Connection, who: str) -> Person:
    """Return who is meant by an account's name or id, or by a name that records carry.

    Raises InputError for what is no name.
    """
    who = who.strip()
    if not who or len(who) > audit.LONGEST_ACTOR or not who.isprintable():
        raise InputError(
            f"person: expected a name or an account's id of 1 to {audit.LONGEST_ACTOR} characters, got {who[:40]!r}"
        )
    account = None
    try:
        account = accounts.one(connection, UUID(who)) if _is_id(who) else accounts.by_name(connection, who)
    except (NotFoundError, InputError):
        shown = [one for one in accounts.every(connection) if one.display_name.lower() == who.lower()]
        if len(shown) > 1:
            names = ", ".join(one.name for one in shown)
            raise InputError(f"person: {len(shown)} accounts are shown as {who!r}: name one of {names}") from None
        account = shown[0] if shown else None
    if account is None:
        return Person(names=(who,), account_id=None)
    return Person(names=tuple(dict.fromkeys((account.name, account.display_name))), account_id=account.account_id)


def export(connection: Connection, person: Person) -> dict[str, list[dict[str, Any]]]:
    """Return every row that says something of `person`, by table: of each its identifying and its named columns."""
    found: dict[str, list[dict[str, Any]]] = {}
    for traces in _traces():
        rows = list(_rows(connection, traces, person))
        if rows:
            found[traces.table] = [{name: value for name, value in row.items() if name not in _SECRETS} for row in rows]
    return found


def erase(connection: Connection, person: Person, *, actor: str) -> Erased:
    """Erase `person` in the caller's transaction: a pseudonym takes the name's place, the account goes.

    The audit notes it in each commune concerned, without the name. Raises NotFoundError when nothing is stored.
    """
    pseudonym = f"person-{secrets.token_hex(4)}"
    run = _Run()
    connection.execute(statement("people", "erasing"))
    for traces in _traces():
        if not _is_of_account(traces) and (traces.names or traces.texts or traces.documents):
            _replace(connection, traces, person, pseudonym, run)
    if person.account_id is not None:
        accounts.remove(connection, person.account_id)
        run.rows["account"] = 1
        run.communes.add(audit.INSTALLATION)
    if not run.rows:
        raise NotFoundError(f"nothing is stored of {person.names[0]!r}")
    resealed = _reseal(connection, run, actor=actor, subject=pseudonym)
    return Erased(pseudonym=pseudonym, rows=run.rows, resealed=resealed, account=person.account_id is not None)


def forget_names(connection: Connection, commune_insee: str, tables: Sequence[str], *, before: datetime) -> int:
    """Let names and comments go from rows older than `before`, in the caller's transaction; return from how many."""
    run = _Run()
    connection.execute(statement("people", "erasing"))
    for traces in _traces():
        if traces.table in tables:
            _forget(connection, traces, commune_insee, before, run)
    _reseal(connection, run, actor="voirie", subject=FORGOTTEN_NAME)
    return sum(run.rows.values())


def _traces() -> Iterator[Traces]:
    return (traces for treatment in TREATMENTS for traces in treatment.traces)


def _is_of_account(traces: Traces) -> bool:
    """Whether the rows are an account's, and go with it."""
    return "account_id" in traces.columns


def _is_id(who: str) -> bool:
    try:
        UUID(who)
    except ValueError:
        return False
    return True


# --- finding ---------------------------------------------------------------------------------------------------------


def _rows(connection: Connection, traces: Traces, person: Person) -> Iterator[dict[str, Any]]:
    """Yield the rows of one table that name the person, or are their account's; `row_id` is where each lies."""
    conditions: list[sql.Composable] = []
    parameters: dict[str, Any] = {
        "names": [name.lower() for name in person.names],
        "account_id": person.account_id,
        "actor": None if person.account_id is None else f"account:{person.account_id}",
        "pattern": _pattern(person.names),
    }
    if _is_of_account(traces):
        conditions.append(sql.SQL("account_id = %(account_id)s"))
    else:
        conditions += [sql.SQL("lower({}) = ANY(%(names)s)").format(sql.Identifier(name)) for name in traces.names]
        conditions += [
            sql.SQL("{} ~* %(pattern)s::text").format(sql.Identifier(name))
            for name in traces.texts
            if parameters["pattern"]
        ]
        conditions += [
            sql.SQL("EXISTS (SELECT FROM jsonb_path_query({}, '$.**') AS part WHERE jsonb_typeof(part) = 'string'"
                    " AND (lower(part #>> '{{}}') = ANY(%(names)s) OR part #>> '{{}}' ~* %(pattern)s::text))")
            .format(sql.Identifier(name))
            for name in traces.documents
        ]  # fmt: skip
        if traces.table == "audit_note":
            conditions += [sql.SQL("actor = %(actor)s"), sql.SQL("subject = %(actor)s")]
    if not conditions:
        return
    query = sql.SQL("SELECT ctid::text AS row_id, * FROM {} WHERE {}").format(
        sql.Identifier(traces.table), sql.SQL(" OR ").join(conditions)
    )
    with connection.cursor(row_factory=dict_row) as cursor:
        yield from cursor.execute(query, parameters)


def _pattern(names: Iterable[str]) -> str | None:
    """Return what finds the names as words in a text (PostgreSQL's advanced regular expressions, and Python's)."""
    long = [name for name in names if len(name) >= _SHORTEST_IN_TEXT]
    if not long:
        return None
    words = "|".join("".join(part if part.isalnum() else f"\\{part}" for part in name) for name in long)
    return rf"(?<!\w)(?:{words})(?!\w)"


# --- erasing ---------------------------------------------------------------------------------------------------------


def _replace(connection: Connection, traces: Traces, person: Person, pseudonym: str, run: _Run) -> None:
    without = _without(person, pseudonym)
    for row in list(_rows(connection, traces, person)):
        plain = {name: row[name] for name in traces.names + traces.texts if isinstance(row[name], str)}
        changed: dict[str, Any] = {name: without(text, whole=name in traces.names) for name, text in plain.items()}
        changed = {name: text for name, text in changed.items() if text != row[name]}
        for name in traces.documents:
            anew = _walked(row[name], without)
            if anew != row[name]:
                changed[name] = Jsonb(anew)
        if changed:
            _update(connection, traces.table, row["row_id"], changed)
            _count(run, traces.table, row)


def _without(person: Person, pseudonym: str) -> Callable[..., str]:
    """Return what puts the pseudonym in the place of the person's names; in a text, where they stand as words."""
    lowered = {name.lower() for name in person.names}
    pattern = _pattern(person.names)
    words = None if pattern is None else re.compile(pattern, re.IGNORECASE)

    def without(text: str, *, whole: bool = False) -> str:
        if text.lower() in lowered:
            return pseudonym
        return text if words is None or whole else words.sub(pseudonym, text)

    return without


def _walked(document: Any, change: Callable[[str], str]) -> Any:
    """Return the JSON document with every string value (no key) changed."""
    if isinstance(document, str):
        return change(document)
    if isinstance(document, list):
        return [_walked(part, change) for part in document]
    if isinstance(document, dict):
        return {name: _walked(part, change) for name, part in document.items()}
    return document


def _forget(connection: Connection, traces: Traces, commune_insee: str, before: datetime, run: _Run) -> None:
    if traces.at is None:
        raise ValueError(f"{traces.table}: expected a time by which its names go")
    assignments = [
        sql.SQL("{0} = CASE WHEN {0} = ANY(%(ours)s) THEN {0} WHEN {0} IS NOT NULL THEN %(forgotten)s END").format(
            sql.Identifier(name)
        )
        for name in traces.names
    ] + [sql.SQL("{} = NULL").format(sql.Identifier(name)) for name in traces.texts]
    named = [sql.SQL("{} <> ALL(%(ours)s)").format(sql.Identifier(name)) for name in traces.names] + [
        sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in traces.texts
    ]
    query = sql.SQL(
        "UPDATE {} SET {} WHERE commune_insee = %(commune_insee)s AND {} < %(before)s AND ({}) RETURNING *"
    ).format(
        sql.Identifier(traces.table),
        sql.SQL(", ").join(assignments),
        sql.Identifier(traces.at),
        sql.SQL(" OR ").join(named),
    )
    parameters = {
        "commune_insee": commune_insee, "before": before, "ours": list(_OURS), "forgotten": FORGOTTEN_NAME,
    }  # fmt: skip
    with connection.cursor(row_factory=dict_row) as cursor:
        for row in cursor.execute(query, parameters):
            _count(run, traces.table, row)


def _update(connection: Connection, table: str, row_id: str, changed: Mapping[str, Any]) -> None:
    # A row lies where it was seen: the caller's transaction is the only one that changes rows of these tables' past.
    assignments = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in changed]
    query = sql.SQL("UPDATE {} SET {} WHERE ctid = %(row_id)s::tid").format(
        sql.Identifier(table), sql.SQL(", ").join(assignments)
    )
    done = connection.execute(query, dict(changed) | {"row_id": row_id})
    if done.rowcount != 1:
        raise InputError(f"somebody else changed a row of {table} at this moment: nothing was erased, try again")


def _count(run: _Run, table: str, row: Mapping[str, Any]) -> None:
    run.rows[table] = run.rows.get(table, 0) + 1
    run.communes.add(cast("str", row.get("commune_insee", audit.INSTALLATION)))
    if table in SEALED:
        run.sealed.append((table, str(row[SEALED[table]])))


def _reseal(connection: Connection, run: _Run, *, actor: str, subject: str) -> int:
    """Seal changed rows anew, and note in each commune's chain which."""
    seals: dict[str, dict[str, str]] = defaultdict(dict)
    for source, source_key in run.sealed:
        key = {"source": source, "source_key": source_key}
        for commune_insee, sequence, content in connection.execute(statement("people", "entries_of"), key).fetchall():
            salt = secrets.token_bytes(32)
            connection.execute(
                statement("people", "salt_anew"),
                {"commune_insee": commune_insee, "sequence": sequence, "salt": salt},
            )
            seals[commune_insee][str(sequence)] = seal_of(salt, content).hex()
    for commune_insee in sorted(run.communes | set(seals)):
        details = {"resealed": seals.get(commune_insee, {}), "tables": sorted(run.rows)}
        audit.record(connection, commune_insee, actor, ERASED, subject, details)
    return sum(len(of_commune) for of_commune in seals.values())
