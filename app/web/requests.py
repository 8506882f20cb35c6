"""A request as handlers see it: whatever bytes came, its parts are bounded text, and nothing of them is kept.

The framework's own parsers keep the last 1,024 bodies, query strings and cookie headers that they have read, which is
more memory than a pod has when each body is large. They also end in an error on bytes that they do not expect. So the
parts are read here: what a page can do without (an unreadable cookie, bad bytes in a question) is left out, what a
form needs is refused with a status of 4xx.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import litestar
from litestar.datastructures import FormMultiDict, MultiDict, State
from litestar.exceptions import ClientException, HTTPException

LARGEST_FORM = 16 * 1024
"""Bytes of a form. The longest that a page can send, all fields full of four-byte letters, has some 9,000."""
MOST_FIELDS = 64
URL_ENCODED = "application/x-www-form-urlencoded"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Request(litestar.Request[Any, Any, State]):
    """One HTTP request."""

    @property
    def query_params(self) -> MultiDict[Any]:
        """The query's fields; bytes that are no text become U+FFFD, what is beyond the bounds is left out."""
        return MultiDict(_query(self.scope["query_string"]))

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that are plain text, as they were set; the first one of a name counts."""
        found: dict[str, str] = {}
        for header in self.headers.getall("cookie", []):
            for name, value in _cookies(header):
                found.setdefault(name, value)
        return found

    async def form(self) -> FormMultiDict:
        """The fields of a form.

        Raises:
            HTTPException: it is no form (415), or cannot be read (400).
        """
        return FormMultiDict(_fields(self.headers.get("content-type", ""), await self.body()))


def _query(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:  # more fields than any page of ours has
        return []


def _cookies(header: str) -> Iterator[tuple[str, str]]:
    for part in header.split(";")[:MOST_FIELDS]:
        name, equals, value = part.strip().partition("=")
        if equals and value.isascii() and value.isprintable():
            yield name, value


def _fields(content_type: str, body: bytes) -> list[tuple[str, str]]:
    if not body:
        return []
    if content_type.partition(";")[0].strip().lower() != URL_ENCODED:
        raise HTTPException(status_code=415, detail=f"expected a form as {URL_ENCODED}")
    try:
        text = body.decode()
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:  # bytes that are no UTF-8, or too many fields
        raise ClientException("this form cannot be read") from error
    return [(name, value) for name, value in pairs if _NAME.fullmatch(name)]
