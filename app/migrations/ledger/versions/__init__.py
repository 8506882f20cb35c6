"""Revisions of the database `ledger`, oldest first."""
