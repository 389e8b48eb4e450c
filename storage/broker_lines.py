"""How collectors' lines to their brokers stand, as each told it last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from storage.database import Connection, fetch, statement


@dataclass(frozen=True, kw_only=True, slots=True)
class ToldLine:
    """What a collector tells. `held_s`: for how long it has been connected, or not; `broker`: host and port."""

    collector: str
    broker: str
    connected: bool
    subscribed: bool
    held_s: float
    waiting: int
    lag_s: float


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokerLine:
    """A collector's line. `since`: when it came to be connected, or not; `told_at`: when the collector said so last.

    `waiting`: messages received and not committed; `lag_s`: the age of the eldest of them; `messages_per_min`: of the
    commune, over the last five minutes.
    """

    collector: str
    broker: str
    connected: bool
    subscribed: bool
    since: datetime
    told_at: datetime
    waiting: int
    lag_s: float
    messages_per_min: float


def tell(connection: Connection, communes: Sequence[str], line: ToldLine) -> None:
    """Note how a collector's line stands, for each of the communes that are served; forget who is gone for days."""
    parameters = asdict(line) | {"communes": list(communes)}
    connection.execute(statement("broker_lines", "tell"), parameters)
    connection.execute(statement("broker_lines", "forget"), parameters)


def lines(connection: Connection, commune_insee: str) -> list[BrokerLine]:
    """Return the lines by which a commune's messages come, by collector."""
    return fetch(connection, BrokerLine, statement("broker_lines", "lines"), {"commune_insee": commune_insee})
