"""Which failures of the database pass by waiting, and which are the fault of the data."""

from __future__ import annotations

import psycopg

from storage.errors import VoirieError

# PostgreSQL, appendix A: data exception, integrity constraint violation, program limit exceeded (a row too large for an
# index), raised by a trigger. Everything else (connection, resources, shutdown, serialization, a missing table) is
# "later": the message is good, and the database will be.
_FAULTS_OF_THE_DATA = ("22", "23", "54", "P0")


def is_fault_of_data(error: Exception) -> bool:
    """Whether trying again with the same rows fails again, so that the row must be found and refused."""
    if isinstance(error, VoirieError):
        return False
    if isinstance(error, psycopg.Error):
        if error.sqlstate is not None:
            return error.sqlstate.startswith(_FAULTS_OF_THE_DATA)
        # Without a state the server never saw it: a value that psycopg cannot write (a NUL in a text), or a cut line.
        return isinstance(error, psycopg.DataError)
    # Raised while making rows out of values: a number out of range, a text that has no UTF-8.
    return True
