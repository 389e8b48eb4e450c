"""From what the broker brought to what is stored: each message judged by what is known of the installation.

A device that publishes more than its allowance is refused until there is one again; what it sent is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ingest.broker import Received
from ingest.intake import IntakeRules, Taken, refuse, take_in_message
from ingest.knowledge import Knowledge
from ingest.message import Message
from ingest.refusal import quoted
from storage.allowance import Allowances
from storage.database import Connection
from storage.model import RefusalReason

# What a newer registry or clock may turn into a reading.
_WORTH_A_SECOND_LOOK = frozenset(
    {
        RefusalReason.UNKNOWN_DEVICE,
        RefusalReason.UNKNOWN_MODEL,
        RefusalReason.NOT_MOUNTED,
        RefusalReason.IN_THE_FUTURE,
        RefusalReason.TOO_OLD,
    }
)

_TOO_MANY = "the device published more than it may at once and each hour"


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A batch of messages and what each says, by the registry of these `versions`.

    `too_many`: the messages (by index) that were over their device's allowance when they came.
    """

    received: Sequence[Received]
    messages: Sequence[Message]
    taken: Sequence[Taken]
    versions: Mapping[str, int]
    too_many: frozenset[int] = frozenset()


class Judge:
    """Judges batches: ahead of their transaction, and again in it when the registry has changed meanwhile."""

    def __init__(
        self,
        rules: IntakeRules,
        knowledge: Knowledge,
        allowances: Allowances | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._knowledge = knowledge
        self._allowances = allowances
        self._clock = clock

    def judge(self, received: Sequence[Received]) -> Judged:
        """Judge what came by what is known now, without asking the database; it counts against the allowances."""
        judged = self._look(received)
        return _refusing(replace(judged, too_many=self._beyond(judged)))

    def confirm(self, judged: Judged, connection: Connection) -> Judged:
        """Return the batch judged by the registry as it is, which stays so until the transaction ends.

        Messages that a newer registry or clock may explain are looked at twice.
        """
        self._knowledge.keep_fresh(connection)
        if judged.versions != self._knowledge.versions:
            judged = _refusing(replace(self._look(judged.received), too_many=judged.too_many))
        doubtful = [
            index
            for index, one in enumerate(judged.taken)
            if one.refused and any(refused.reason in _WORTH_A_SECOND_LOOK for refused in one.refused)
        ]
        if not doubtful or not self._knowledge.refresh(connection):
            return judged
        messages, taken = list(judged.messages), list(judged.taken)
        again = self._look([judged.received[index] for index in doubtful])
        for index, message, one in zip(doubtful, again.messages, again.taken, strict=True):
            messages[index], taken[index] = message, one
        return _refusing(replace(judged, messages=messages, taken=taken, versions=self._knowledge.versions))

    def refuse(self, judged: Judged, fault: Exception) -> Judged:
        """Return the batch with every message refused: the database does not take what was made of them."""
        detail = f"the database refused the rows: {quoted(str(fault))}"
        taken = [refuse(message, RefusalReason.INTERNAL_ERROR, detail) for message in judged.messages]
        return replace(judged, taken=taken)

    def _look(self, received: Sequence[Received]) -> Judged:
        """Judge by what is known now, whatever the allowances."""
        # Before the registry itself: should that change under our hands, the versions tell.
        versions = self._knowledge.versions
        messages = self._messages(received)
        registry, rules = self._knowledge.registry, self._rules
        taken = [take_in_message(message, registry, rules) for message in messages]
        return Judged(received=received, messages=messages, taken=taken, versions=versions)

    def _beyond(self, judged: Judged) -> frozenset[int]:
        """Count the messages of each device; return those for which its allowance was spent."""
        allowances, now_s = self._allowances, self._clock()
        if allowances is None:
            return frozenset()
        return frozenset(
            index
            for index, (message, one) in enumerate(zip(judged.messages, judged.taken, strict=True))
            if allowances.wait_s((message.network.commune_insee, one.device_eui or message.topic), now_s)
        )

    def _messages(self, received: Sequence[Received]) -> list[Message]:
        """Return the messages with their network; those of one commune came at one moment of its clock."""
        network_of, now = self._rules.network_of, self._knowledge.now
        moments = {code: now(code) for code in {network.commune_insee for network in self._rules.networks}}
        messages = []
        for one in received:
            network = network_of(one.topic)
            messages.append(Message(network, one.topic, one.payload, moments[network.commune_insee]))
        return messages


def _refusing(judged: Judged) -> Judged:
    """Return the batch with what came too often refused, unless it is refused for something else."""
    beyond = [index for index in judged.too_many if not judged.taken[index].refused]
    if not beyond:
        return judged
    taken = list(judged.taken)
    for index in beyond:
        eui = taken[index].device_eui
        taken[index] = refuse(judged.messages[index], RefusalReason.TOO_MANY, _TOO_MANY, eui=eui)
    return replace(judged, taken=taken)


def halves(judged: Judged) -> tuple[Judged, Judged]:
    """Return the batch in two parts, to find the message that is at fault."""
    middle = len(judged.received) // 2
    first, second = (
        Judged(
            received=judged.received[part],
            messages=judged.messages[part],
            taken=judged.taken[part],
            versions=judged.versions,
            too_many=frozenset(index - part.start for index in judged.too_many if part.start <= index < part.stop),
        )
        for part in (slice(0, middle), slice(middle, len(judged.received)))
    )
    return first, second
