"""Run by Alembic: the migrations of the receipts, on the connection that whoever opens them hands over."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
