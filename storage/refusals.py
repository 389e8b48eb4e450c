"""Refused messages: kept once for each reason, counted when they come again, resolved when a replay takes them in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from storage.database import Connection, fetch, statement
from storage.model import RefusalReason, RefusedMessage

WORTH_A_REPLAY = (
    RefusalReason.UNKNOWN_DEVICE,
    RefusalReason.UNKNOWN_MODEL,
    RefusalReason.NOT_MOUNTED,
    RefusalReason.MALFORMED_PAYLOAD,
)
"""What a change of the device in the registry (its model, its places) may turn into a reading."""


def digest_of(network: str, topic: str, payload: bytes) -> bytes:
    """Return what makes two messages one: the same bytes on the same topic of the same network."""
    return sha256(f"{network}\n{topic}\n".encode() + payload).digest()


def keep(connection: Connection, commune_insee: str, refused: Iterable[RefusedMessage]) -> int:
    """Keep refused messages of one commune; return how many were not there before.

    Equal bytes on one topic are one message: a broker's redelivery cannot be told from a repetition, and all messages
    but garbage carry a time or a counter. What comes again is counted in its row, and is open again if it was resolved.
    """
    rows: dict[tuple[bytes, str], dict[str, Any]] = {}
    for message in refused:
        digest = digest_of(message.network, message.topic, message.payload)
        known = rows.get((digest, message.reason))
        if known is None:
            rows[digest, message.reason] = asdict(message) | {
                "digest": digest,
                "reason": message.reason.value,
                "last_received_at": message.received_at,
                "deliveries": 1,
            }
        else:
            known["deliveries"] += 1
            known["last_received_at"] = max(known["last_received_at"], message.received_at)
    # One order for all collectors, so that two that get the same messages wait for each other instead of both for both.
    ordered = [rows[key] for key in sorted(rows)]
    names = (
        "digest", "reason", "received_at", "last_received_at", "network", "topic", "payload", "detail", "device_eui",
        "deliveries",
    )  # fmt: skip
    columns: dict[str, Any] = {name: [row[name] for row in ordered] for name in names}
    kept = connection.execute(statement("refusals", "keep"), columns | {"commune_insee": commune_insee})
    return sum(new for (new,) in kept)


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """Which refused messages to look at again: those that are all of this. None: whichever.

    `since`, `until`: received in [since, until). `due`: only those whose device changed since they were judged.
    """

    reasons: tuple[RefusalReason, ...] | None = None
    device_eui: str | None = None
    network: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    due: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptRefusal:
    """A row of the table: a message with one of the reasons why it was refused. `is_picked`: of this selection."""

    refused_id: int
    digest: bytes
    reason: RefusalReason
    detail: str
    received_at: datetime
    network: str
    topic: str
    payload: bytes
    device_eui: str | None
    is_open: bool
    is_picked: bool

    def as_refused(self, commune_insee: str) -> RefusedMessage:
        """Return the refusal as it was made."""
        return RefusedMessage(
            commune_insee=commune_insee,
            received_at=self.received_at,
            network=self.network,
            topic=self.topic,
            payload=self.payload,
            reason=self.reason,
            detail=self.detail,
            device_eui=self.device_eui,
        )


def last_id(connection: Connection, commune_insee: str) -> int:
    """Return the newest row's number, 0 before the first: what came later is not of this replay."""
    row = connection.execute(statement("refusals", "last_id"), {"commune_insee": commune_insee}).fetchone()
    return 0 if row is None else int(row[0])


def any_due(connection: Connection, commune_insee: str) -> bool:
    """Whether a refused message's device changed in the registry since the message was judged."""
    parameters = {"commune_insee": commune_insee, "worth": list(WORTH_A_REPLAY)}
    row = connection.execute(statement("refusals", "any_due"), parameters).fetchone()
    return bool(row and row[0])


def pick(
    connection: Connection,
    commune_insee: str,
    selection: Selection,
    *,
    after: int,
    last: int,
    limit: int,
    most_bytes: int,
) -> tuple[list[KeptRefusal], int | None]:
    """Lock the next rows of a selection, in the order in which they came, with the other reasons of their messages.

    At most `limit` rows, and so many that their payloads stay under `most_bytes` (one at least). Returns them and the
    number after which to go on, None when there is nothing left.
    """
    parameters = asdict(selection) | {
        "commune_insee": commune_insee,
        "after": after,
        "last": last,
        "limit": limit,
        "reasons": None if selection.reasons is None else [reason.value for reason in selection.reasons],
        "worth": list(WORTH_A_REPLAY),
    }
    picked: list[int] = []
    total = 0
    for refused_id, size in connection.execute(statement("refusals", "pick"), parameters):
        total += size
        if picked and total > most_bytes:
            break
        picked.append(refused_id)
    if not picked:
        return [], None
    whole = {"commune_insee": commune_insee, "picked": picked}
    return fetch(connection, KeptRefusal, statement("refusals", "whole"), whole), picked[-1]


def still_refused(connection: Connection, rows: Sequence[tuple[int, RefusedMessage]], *, judged_in: int) -> None:
    """Say why these rows' messages are refused now."""
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("refusals", "still_refused"),
            [
                {
                    "refused_id": refused_id,
                    "reason": message.reason.value,
                    "detail": message.detail,
                    "device_eui": message.device_eui,
                    "judged_in": judged_in,
                }
                for refused_id, message in rows
            ],
        )


def resolve(connection: Connection, rows: Sequence[tuple[int, int]], *, judged_in: int) -> None:
    """Mark rows (by number) whose reason is gone; beside each, how many readings its message gave that were new."""
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("refusals", "resolved"),
            [{"refused_id": refused_id, "stored": stored, "judged_in": judged_in} for refused_id, stored in rows],
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceRefusals:
    """How many messages of a device are refused now, and when the last of them came."""

    device_eui: str
    messages: int
    last_received_at: datetime


def of_devices(connection: Connection, commune_insee: str, euis: Iterable[str]) -> dict[str, DeviceRefusals]:
    """Return the refused messages of these devices, registered or not; those without any are absent."""
    parameters = {"commune_insee": commune_insee, "euis": list(euis)}
    found = fetch(connection, DeviceRefusals, statement("refusals", "counts"), parameters)
    return {item.device_eui: item for item in found}
