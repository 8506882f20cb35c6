"""Declared against live: what in the sites' clusters is not as their stacks were deployed, who changed it and when."""
