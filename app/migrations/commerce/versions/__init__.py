"""Revisions of the database `commerce`, oldest first."""
