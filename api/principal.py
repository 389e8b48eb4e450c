"""Who asks: a person with a session, a machine with a key, anybody, or everybody where accounts are open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from storage.device_keys import Binding
from storage.model import Role


class Proof(StrEnum):
    """How we know."""

    SESSION = "session"
    KEY = "key"
    OPEN = "open"
    NONE = "none"


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """Who asks and what they were granted, by commune. `name` is what colleagues and the log read.

    `must_enrol`: a role of theirs needs a second factor, which they have not set up. `binding`: how their session is
    bound to its device; `must_prove`: the device has to prove itself again.
    """

    proof: Proof
    name: str
    grants: Mapping[str, frozenset[Role]] = MappingProxyType({})
    account_id: UUID | None = None
    session_id: UUID | None = None
    must_enrol: bool = False
    key_prefix: str | None = None
    has_password: bool = True
    binding: Binding | None = None
    must_prove: bool = False

    @property
    def is_known(self) -> bool:
        """Whether somebody in particular asks, or accounts are open to all."""
        return self.proof is not Proof.NONE

    @property
    def counted_as(self) -> str | None:
        """What their requests are counted by; None where it is only known from which address they come."""
        if self.account_id is not None:
            return f"account {self.account_id}"
        return None if self.key_prefix is None else f"key {self.key_prefix}"

    def roles_in(self, commune_insee: str) -> frozenset[Role]:
        """Return what they may do in a commune; every role where accounts are open."""
        if self.proof is Proof.OPEN:
            return frozenset(Role)
        return self.grants.get(commune_insee, frozenset())

    @property
    def roles(self) -> frozenset[Role]:
        """Every role they have anywhere."""
        if self.proof is Proof.OPEN:
            return frozenset(Role)
        return frozenset().union(*self.grants.values())


VISITOR = Principal(proof=Proof.NONE, name="")
"""Somebody who has not said who they are."""

EVERYBODY = Principal(proof=Proof.OPEN, name="open")
"""Where accounts are open, whoever asks may do everything."""
