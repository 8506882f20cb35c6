"""Alembic's entry to the migrations of `ledger`."""

from app.migrations.environment import run

run()
