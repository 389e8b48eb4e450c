"""The chain of audited rows: each hashes the one before it."""

from storage.schema import run_sql_file

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    run_sql_file("0026_audit_chain.sql")
