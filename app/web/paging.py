"""Which page of a long list a request asks for."""

from __future__ import annotations

from app.web.requests import Request

LONGEST_NUMBER = 9  # digits
MAX_PAGE = 200


def page_of(request: Request) -> int:
    """Return the asked page, within bounds; nonsense is the first page."""
    value = request.query_params.get("page", "1")
    if not (value.isascii() and value.isdecimal()):
        return 1
    return min(max(int(value[:LONGEST_NUMBER]), 1), MAX_PAGE)
