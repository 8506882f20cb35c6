"""Migrations of the database `ledger`."""
