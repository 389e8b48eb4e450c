"""The matrix's judge: it must see what is lost, what is there twice and what was refused for nothing."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from cli.fault_matrix.publisher import Ledger
from cli.fault_matrix.town import Town, make_town
from cli.fault_matrix.traffic import Publication, Traffic
from cli.fault_matrix.verdict import Verdict, judge
from ingest.intake import IntakeRules, take_in_message
from ingest.message import Message
from ingest.topics import Network
from storage import devices, readings
from storage.database import connect
from storage.model import IntakeBatch


@dataclass(frozen=True)
class Played:
    """A town whose messages are all where they belong."""

    url: str
    town: Town
    good: list[Publication]
    hostile: list[Publication]

    def take_in(self, publications: list[Publication]) -> None:
        networks = tuple(
            Network(
                name=table["name"],
                commune_insee=table["commune"],
                envelope=table["envelope"],  # type: ignore[arg-type] # the town's own kinds
                topic_filter=table["topic_filter"],
            )
            for table in self.town.networks()
        )
        rules = IntakeRules(networks=networks)
        with connect(self.url) as connection:
            registry = devices.registry(connection)
            taken = [
                take_in_message(
                    Message(rules.network_of(one.topic), one.topic, one.payload, datetime.now(UTC)), registry, rules
                )
                for one in publications
            ]
            readings.take_in(
                connection,
                IntakeBatch(
                    commune_insee=self.town.insee,
                    collector="essai",
                    messages=len(publications),
                    fill_readings=tuple(reading for one in taken for reading in one.fill_readings),
                    occupancy_readings=tuple(reading for one in taken for reading in one.occupancy_readings),
                    refused=tuple(refused for one in taken for refused in one.refused),
                ),
            )

    def verdict(self) -> Verdict:
        everything = [*self.good, *self.hostile]
        return judge(self.url, self.town.insee, Ledger(published=everything, acknowledged=everything))

    def alter(self, statement: str) -> None:
        with connect(self.url) as connection:
            assert connection.execute(statement).rowcount == 1  # type: ignore[arg-type] # literals of this file


@pytest.fixture
def played(database_url: str) -> Played:
    town = make_town(secrets.token_hex(4))
    town.provision(database_url)
    traffic = Traffic(town, seed=1)
    hostile = [traffic.refused(town.topic(sensor), b"?") for sensor in town.sensors[:5]]
    played = Played(url=database_url, town=town, good=traffic.publications(120), hostile=hostile)
    played.take_in([*played.good, *hostile])
    return played


FIRST = "SELECT min(measured_at) FROM fill_reading"


def test_all_that_is_where_it_belongs_is_counted(played: Played):
    found = played.verdict()
    assert (found.published, found.acknowledged, found.stored, found.rejected) == (125, 125, 120, 5)
    assert (found.lost, found.duplicated, found.wrongly_refused) == (0, 0, 0)
    assert found.complete


def test_a_repetition_is_no_duplicate(played: Played):
    played.take_in(played.good)
    assert (played.verdict().duplicated, played.verdict().duplicates_offered) == (0, 120)


def test_a_missing_reading_is_lost(played: Played):
    played.alter(f"DELETE FROM fill_reading WHERE measured_at = ({FIRST})")
    assert (played.verdict().lost, played.verdict().complete) == (1, False)


def test_a_missing_refusal_is_lost(played: Played):
    played.alter("DELETE FROM refused_message WHERE refused_id = (SELECT min(refused_id) FROM refused_message)")
    assert (played.verdict().lost, played.verdict().rejected) == (1, 4)


def test_the_same_uplink_under_another_key_is_a_duplicate(played: Played):
    columns = "commune_insee, device_id, place_id, received_at, quality"
    played.alter(
        f"INSERT INTO fill_reading ({columns}, measured_at, record_index) "
        f"SELECT {columns}, measured_at + interval '1 millisecond', 0 FROM fill_reading WHERE measured_at = ({FIRST})"
    )
    assert (played.verdict().lost, played.verdict().duplicated) == (0, 1)


def test_a_reading_under_a_time_that_it_never_had_is_lost_and_a_duplicate(played: Played):
    played.alter(
        f"UPDATE fill_reading SET measured_at = measured_at + interval '1 second' / 2 WHERE measured_at = ({FIRST})"
    )
    assert (played.verdict().lost, played.verdict().duplicated) == (1, 1)


def test_a_good_message_that_was_refused_is_told_apart(played: Played):
    traffic = Traffic(played.town, seed=2)
    late = traffic.publication(
        traffic.later(next(iter(traffic.readings(1))), timedelta(days=3650))
    )  # a device's clock that no rule believes, published as if it were good
    played.good.append(late)
    played.take_in([late])
    found = played.verdict()
    assert (found.lost, found.wrongly_refused) == (0, 1)
