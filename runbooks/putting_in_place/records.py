"""Where earlier runs left their journals: an unfinished one keeps nobody from moving the pair."""

REPLACEMENTS = "replacements"
"""Folder beside the journals of runs that move a pair."""
