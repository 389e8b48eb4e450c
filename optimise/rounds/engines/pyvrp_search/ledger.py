"""The accounts of a search: what routes and bins left out cost together, in PyVRP's numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from optimise.rounds.engines.pyvrp_search.model import PyvrpModel
from optimise.rounds.engines.pyvrp_search.orders import Order, clients_of
from optimise.rounds.engines.pyvrp_search.recombine import Choice


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger:
    """Which clients are one bin, and what each bin's prize is (None: it may not be left)."""

    bin_of: tuple[int, ...]
    prize: tuple[int | None, ...]
    choice: Choice

    def cost(self, routes: Mapping[Order, int]) -> int:
        """Return what the routes and the prizes of the bins that they leave come to."""
        served = {self.bin_of[client] for client in clients_of(routes)}
        return sum(routes.values()) + sum(
            prize for number, prize in enumerate(self.prize) if prize is not None and number not in served
        )

    def left(self, routes: Iterable[Order]) -> list[int]:
        """Return the clients of the bins that no route serves."""
        served = {self.bin_of[client] for client in clients_of(routes)}
        return [client for client, number in enumerate(self.bin_of) if number not in served]

    def whole(self, clients: Sequence[int]) -> list[int]:
        """Return these clients and all that are the same bins."""
        bins = {self.bin_of[client] for client in clients}
        return [client for client, number in enumerate(self.bin_of) if number in bins]


def ledger_of(model: PyvrpModel) -> Ledger:
    """Return the accounts of a model."""
    number_of: dict[int, int] = {}
    for stop in model.client_stop:
        number_of.setdefault(stop, len(number_of))
    bin_of = tuple(number_of[stop] for stop in model.client_stop)
    prize: list[int | None] = [0] * len(number_of)
    members: list[list[int]] = [[] for _ in number_of]
    for client, number in enumerate(bin_of):
        members[number].append(client)
    for number, clients in enumerate(members):
        one = model.data.client(clients[0])
        required = one.required if one.group is None else model.data.group(one.group).required
        prize[number] = None if required else int(one.prize)
    client_prizes = [prize[number] for number in bin_of]
    return Ledger(
        bin_of=bin_of,
        prize=tuple(prize),
        choice=Choice(
            prizes=client_prizes,
            vehicles=[len(vehicles) for vehicles in model.type_vehicles],
            alike=[clients for clients in members if len(clients) > 1],
        ),
    )
