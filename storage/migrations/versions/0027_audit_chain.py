"""The chain of audited rows: each hashes the one before it."""

from storage.schema import run_sql_file

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    run_sql_file("0027_audit_chain.sql")
