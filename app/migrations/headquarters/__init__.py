"""Migrations of headquarters' database."""
