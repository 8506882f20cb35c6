"""Thin storage classes, one per outside service: they translate calls and errors and decide nothing."""
