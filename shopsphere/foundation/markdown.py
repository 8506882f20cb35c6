"""Pieces of pages in Markdown."""

from __future__ import annotations

from shopsphere.foundation.errors import one_line


def cell(value: object) -> str:
    """Return what stands in one cell of a table: in one line, and with no bar that would begin another cell."""
    return one_line(value).replace("|", "\\|")
