"""Alembic's entry: runs the revisions on the connection that storage.schema hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="voirie_schema_version")
with context.begin_transaction():
    context.run_migrations()
