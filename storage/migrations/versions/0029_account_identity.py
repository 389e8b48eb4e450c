"""People of the town's identity provider, and what its claims grant."""

from storage.schema import run_sql_file

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    run_sql_file("0029_account_identity.sql")
