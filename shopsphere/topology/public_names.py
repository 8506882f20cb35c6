"""Labels of the zone that lead to no single pair or site: what customers type, and where static assets are."""

WWW = "www"
STATIC = "static"
APEX = "apex"
"""Stands for the domain itself, which has no label."""
