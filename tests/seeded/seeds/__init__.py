"""Edits of the program, its tables and its configuration that break a rule, one at a time."""
