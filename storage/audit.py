"""The audit trail: what is noted, the chain's head, and an auditor's look at all of it.

Plans, checks and devices have journals of their own, which the database chains by itself; `record` is for every other
deed. The entry comes at commit, in the same transaction, by the database: no writer can forge it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from storage.audit_chain import Break, Link, Verdict, verify
from storage.database import Connection, statement

LONGEST_ACTOR = 200

INSTALLATION = "*"
"""Stands for the commune where a deed concerns the installation as a whole."""

_AT_ONCE = 2_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The newest entry of a commune's chain. Written down elsewhere it shows later whether the chain was cut."""

    commune_insee: str
    sequence: int
    digest: bytes

    def __str__(self) -> str:
        """Return it as it stands in the log, and as `voirie audit verify --head` reads it."""
        return f"{self.commune_insee}:{self.sequence}:{self.digest.hex()}"

    @classmethod
    def read(cls, text: str) -> Head:
        """Return the head that `text` says. Raises ValueError."""
        commune_insee, sequence, digest = text.strip().split(":")
        return cls(commune_insee=commune_insee, sequence=int(sequence), digest=bytes.fromhex(digest))


def record(  # noqa: PLR0917 - who did what to what, in this order everywhere
    connection: Connection,
    commune_insee: str,
    actor: str,
    act: str,
    subject: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Note in the caller's transaction that `actor` did `act` ("account.created") to `subject` ("account:…").

    `details` are JSON; secrets never belong in them, ids rather than names do. `commune_insee` may be INSTALLATION.
    """
    connection.execute(
        statement("audit", "note"),
        {
            "commune_insee": commune_insee,
            "actor": actor[:LONGEST_ACTOR],
            "act": act,
            "subject": subject[:400],
            "details": Jsonb(dict(details or {})),
        },
    )


def communes(connection: Connection) -> list[str]:
    """Return whose chains there are: INSEE codes, and INSTALLATION."""
    return [row[0] for row in connection.execute(statement("audit", "communes"))]


def head(connection: Connection, commune_insee: str) -> Head | None:
    """Return the newest entry of a commune's chain, None when nothing was done yet."""
    row = connection.execute(statement("audit", "head"), {"commune_insee": commune_insee}).fetchone()
    return None if row is None else Head(commune_insee=commune_insee, sequence=row[0], digest=row[1])


def last_details(connection: Connection, act: str, subject: str) -> dict[str, Any] | None:
    """Return what the installation's newest note of `act` on `subject` says, None when there is none."""
    key = {"commune_insee": INSTALLATION, "act": act, "subject": subject}
    row = connection.execute(statement("audit", "last_details"), key).fetchone()
    return None if row is None else row[0]


def links(connection: Connection, commune_insee: str) -> Iterator[Link]:
    """Yield a commune's chain from its first entry on, some thousand rows in memory at a time."""
    after = 0
    while True:
        page = connection.execute(
            statement("audit", "links"), {"commune_insee": commune_insee, "after": after, "at_most": _AT_ONCE}
        ).fetchall()
        for values in page:
            yield Link(**dict(zip(Link.__dataclass_fields__, values, strict=True)))
        if len(page) < _AT_ONCE:
            return
        after = page[-1][0]


def examine(connection: Connection, commune_insee: str, *, anchors: Mapping[int, bytes] | None = None) -> Verdict:
    """Recompute a commune's chain and say whether it is whole. Run it in one snapshot (repeatable read)."""
    found = verify(commune_insee, links(connection, commune_insee), anchors=anchors)
    if found.broken is not None:
        return found
    rows = connection.execute(statement("audit", "unchained"), {"commune_insee": commune_insee}).fetchall()
    if not rows:
        return found
    why = f"is not there, and {rows[0][0]} {rows[0][1]} has no entry: the end was cut off"
    return Verdict(
        entries=found.entries,
        head=found.head,
        forgotten=found.forgotten,
        resealed=found.resealed,
        broken=Break(sequence=found.entries + 1, why=why),
    )
