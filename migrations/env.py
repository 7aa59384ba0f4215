"""Runs the migrations on the connection that `identity.store.postgres.schema` hands over."""

from alembic import context
from sqlmodel import SQLModel

import identity.store.tables  # noqa: F401  (declares the tables on SQLModel.metadata)
from identity.store.postgres.schema import is_declared

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    include_object=is_declared,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()
