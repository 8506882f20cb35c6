"""What all trees share: Alembic on the caller's connection, and a way to run whole scripts of SQL."""

from __future__ import annotations

from alembic import context, op


def run() -> None:
    """Apply the migrations on the connection that the caller put into the configuration."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def execute(script: str) -> None:
    """Run a script of several statements; without parameters, so that % stands for itself."""
    op.get_bind().exec_driver_sql(script, execution_options={"no_parameters": True})
