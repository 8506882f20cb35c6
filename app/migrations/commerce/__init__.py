"""Migrations of the database `commerce`."""
