"""Revisions of the database `headquarters`, oldest first."""
