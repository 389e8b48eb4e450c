"""The table of personal data is whole: whatever of the schema may say something about a person stands in it."""

from __future__ import annotations

import re

from storage.database import Connection
from storage.people import SEALED
from storage.personal_data import TREATMENTS
from storage.retention_kinds import KINDS

TRACES = {traces.table: traces for treatment in TREATMENTS for traces in treatment.traces}

SUSPECT = re.compile(
    r"_by$|^by$|author|actor|agent|person|user|holder|member|mail|phone|addr|birth|plate|password|secret|token|subject"
    r"|comment|name|^note$|login|account|session_id|contact|owner|device_id_hash|content$|^detail|answer$|payload|inputs"
)
"""Names of columns that may hold something about somebody."""

OF_NOBODY = {
    # Communes, streets, sensors, files and tables have names too.
    "commune.name", "territory.name", "kerb_place.name", "vehicle.name", "town_event.name", "bay_group_forecast.name",
    # The broker's users are devices and network servers.
    "broker_credential.user_name",
    # What a device sent, of a bin; what a device said of itself.
    "fill_reading.payload", "device_event.payload", "device_event.detail",
    # How an alert was closed (`recovered`, `withdrawn`), and on which place, device or network.
    "alert.closed_by", "alert.subject",
    # How a stay ended, and numbers of models.
    "occupancy_session.ended_by", "bay_usual.content",
    # What a plan was made from: counts, weights and settings; what sums of streets tell apart.
    "plan.inputs", "kerb_hour_span.told_by",
}  # fmt: skip


def columns(connection: Connection) -> dict[str, str]:
    """Return the type of each column of our tables, by `table.column`."""
    rows = connection.execute(
        """
        SELECT relname || '.' || attname, format_type(atttypid, atttypmod)
        FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped
            AND relname NOT LIKE 'procrastinate%' AND relname <> 'voirie_schema_version'
        """
    )
    return dict(rows.fetchall())


def test_every_column_that_may_say_something_about_a_person_stands_in_the_table(connection: Connection):
    told = {f"{table}.{column}" for table, traces in TRACES.items() for column in traces.columns}
    real = columns(connection)
    suspect = {name for name in real if SUSPECT.search(name.split(".")[1])}
    assert suspect - told - OF_NOBODY == set(), "say in storage/personal_data.py whose data it is, or here why nobody's"
    assert suspect - told >= OF_NOBODY, "what is said of nobody is still there"


def test_the_table_names_real_columns_whose_kind_is_the_one_that_is_treated(connection: Connection):
    real = columns(connection)
    for table, traces in TRACES.items():
        for column in traces.columns:
            assert f"{table}.{column}" in real
        for column in traces.names + traces.texts:
            assert real[f"{table}.{column}"] == "text"
        for column in traces.documents:
            assert real[f"{table}.{column}"] == "jsonb"
        if traces.at is not None:
            assert real[f"{table}.{traces.at}"] == "timestamp with time zone"
    assert set(SEALED) <= set(TRACES)


def test_what_the_notice_promises_is_what_is_forgotten():
    """Where a treatment says days, the work of forgetting takes one of its tables by just these days."""
    forgotten = {
        kind.days: {name.replace("displaced_occupancy", "displaced_reading") for name in kind.tables} for kind in KINDS
    }
    for treatment in TREATMENTS:
        tables = {traces.table for traces in treatment.traces}
        for kept in treatment.kept:
            if kept.days is not None and kept.days != "statistics_days":
                assert forgotten[kept.days] & tables, f"{treatment.name}: nothing goes by {kept.days}"
    (names,) = [kind for kind in KINDS if kind.names_only]
    assert set(names.tables) == {table for table, traces in TRACES.items() if traces.at is not None}
