"""Alembic's entry to the migrations of `commerce`."""

from app.migrations.environment import run

run()
