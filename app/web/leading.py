"""Leads a browser from one page to another, as an answer that nobody keeps."""

from __future__ import annotations

from typing import Any

from litestar import Response

PERSONAL = {"cache-control": "private, no-store"}
"""Header of an answer that is one visitor's: nobody keeps it."""


def redirect(location: str) -> Response[Any]:
    """Return the answer that has a browser ask for another page of ours."""
    return Response(None, status_code=303, headers=PERSONAL | {"location": location})
