"""Alembic's entry to the migrations of `headquarters`."""

from app.migrations.environment import run

run()
