"""From what the broker brought to what is stored: each message judged by what is known of the installation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.broker import Received
from ingest.intake import IntakeRules, Taken, refuse, take_in_message
from ingest.knowledge import Knowledge
from ingest.message import Message
from ingest.refusal import quoted
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """A batch of messages and what each says, by the registry of these `versions`."""

    received: Sequence[Received]
    messages: Sequence[Message]
    taken: Sequence[Taken]
    versions: Mapping[str, int]


class Judge:
    """Judges batches: ahead of their transaction, and again in it when the registry has changed meanwhile."""

    def __init__(self, rules: IntakeRules, knowledge: Knowledge) -> None:
        self._rules = rules
        self._knowledge = knowledge

    def judge(self, received: Sequence[Received]) -> Judged:
        """Judge by what is known now, without asking the database."""
        # Before the registry itself: should that change under our hands, the versions tell.
        versions = self._knowledge.versions
        messages = self._messages(received)
        registry, rules = self._knowledge.registry, self._rules
        taken = [take_in_message(message, registry, rules) for message in messages]
        return Judged(received=received, messages=messages, taken=taken, versions=versions)

    def confirm(self, judged: Judged, connection: Connection) -> Judged:
        """Return the batch judged by the registry as it is, which stays so until the transaction ends.

        Messages that a newer registry or clock may explain are looked at twice.
        """
        self._knowledge.keep_fresh(connection)
        if judged.versions != self._knowledge.versions:
            judged = self.judge(judged.received)
        doubtful = [
            index
            for index, one in enumerate(judged.taken)
            if one.refused and any(refused.reason in _WORTH_A_SECOND_LOOK for refused in one.refused)
        ]
        if not doubtful or not self._knowledge.refresh(connection):
            return judged
        messages, taken = list(judged.messages), list(judged.taken)
        again = self.judge([judged.received[index] for index in doubtful])
        for index, message, one in zip(doubtful, again.messages, again.taken, strict=True):
            messages[index], taken[index] = message, one
        return Judged(received=judged.received, messages=messages, taken=taken, versions=self._knowledge.versions)

    def refuse(self, judged: Judged, fault: Exception) -> Judged:
        """Return the batch with every message refused: the database does not take what was made of them."""
        detail = f"the database refused the rows: {quoted(str(fault))}"
        taken = [refuse(message, RefusalReason.INTERNAL_ERROR, detail) for message in judged.messages]
        return Judged(received=judged.received, messages=judged.messages, taken=taken, versions=judged.versions)

    def _messages(self, received: Sequence[Received]) -> list[Message]:
        """Return the messages with their network; those of one commune came at one moment of its clock."""
        network_of, now = self._rules.network_of, self._knowledge.now
        moments = {code: now(code) for code in {network.commune_insee for network in self._rules.networks}}
        messages = []
        for one in received:
            network = network_of(one.topic)
            messages.append(Message(network, one.topic, one.payload, moments[network.commune_insee]))
        return messages


def halves(judged: Judged) -> tuple[Judged, Judged]:
    """Return the batch in two parts, to find the message that is at fault."""
    middle = len(judged.received) // 2
    first, second = (
        Judged(
            received=judged.received[part],
            messages=judged.messages[part],
            taken=judged.taken[part],
            versions=judged.versions,
        )
        for part in (slice(None, middle), slice(middle, None))
    )
    return first, second
