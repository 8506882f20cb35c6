"""Retention at the archive's host: its owner removes what no restore of the days that are kept needs."""
