"""Leads a browser from one page to another, as an answer that nobody keeps."""

from __future__ import annotations

from typing import Any

from litestar import Response


def redirect(location: str) -> Response[Any]:
    """Return the answer that has a browser ask for another page of ours."""
    return Response(None, status_code=303, headers={"cache-control": "private, no-store", "location": location})
