"""One request, one transaction, one commune, one "now": the dependency that most endpoints ask for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Path, Request

from api.admission import principal_of
from api.principal import Principal, Proof
from api.state import state_of
from storage import communes
from storage.database import Connection
from storage.model import Clock, Commune

CommuneInsee = Annotated[
    str,
    Path(
        pattern="^[0-9][0-9AB][0-9]{3}$",
        description="INSEE code of the commune",
        examples=["93051"],
    ),
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Here:
    """The commune of a request, its clock and present, and the request's transaction."""

    connection: Connection
    commune: Commune
    clock: Clock
    now: datetime
    principal: Principal

    def by(self, told: str) -> str:
        """Return who does it, for the records: the account that asks; where accounts are open, who the client says."""
        return told if self.principal.proof in {Proof.OPEN, Proof.NONE} else self.principal.name

    @property
    def insee(self) -> str:
        """The commune's INSEE code."""
        return self.commune.commune_insee

    @property
    def zone(self) -> ZoneInfo:
        """The commune's time zone."""
        return ZoneInfo(self.commune.time_zone)

    @property
    def today(self) -> date:
        """The commune's local day."""
        return self.now.astimezone(self.zone).date()


@contextmanager
def within(request: Request, commune_insee: str, *, read_only: bool = False) -> Iterator[Here]:
    """Yield the commune in a transaction of its own, which ends with the block: for requests that wait in between."""
    pool = state_of(request)["pool"]
    with communes.within(pool, commune_insee, read_only=read_only) as (connection, commune, clock):
        yield Here(
            connection=connection, commune=commune, clock=clock, now=clock.now(), principal=principal_of(request)
        )


def _reading(request: Request, commune_insee: CommuneInsee) -> Iterator[Here]:
    with within(request, commune_insee, read_only=True) as here:
        yield here


def _writing(request: Request, commune_insee: CommuneInsee) -> Iterator[Here]:
    with within(request, commune_insee) as here:
        yield here


def _read_connection(request: Request) -> Iterator[Connection]:
    """Lend a connection for what belongs to no commune: it sees no commune's rows."""
    with state_of(request)["pool"].transaction([]) as connection:
        yield connection


def _known_commune(request: Request, commune_insee: CommuneInsee) -> Commune:
    """Look the commune up and let the connection go: for responses that stream on for hours."""
    with state_of(request)["pool"].transaction([commune_insee]) as connection:
        return communes.one(connection, commune_insee)


# `scope="function"` ends the transaction before the response starts: what a client is told is accepted is committed.
Reading = Annotated[Here, Depends(_reading, scope="function")]
Writing = Annotated[Here, Depends(_writing, scope="function")]
ReadConnection = Annotated[Connection, Depends(_read_connection, scope="function")]
KnownCommune = Annotated[Commune, Depends(_known_commune)]
