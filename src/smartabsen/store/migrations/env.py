"""Alembic's entry: runs migrations through the connection, in the transaction, that ``store.schema`` has opened."""

from alembic import context

from smartabsen.store.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
