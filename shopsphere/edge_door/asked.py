"""One request at the door, as far as rights depend on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from shopsphere.clients.powerdns import MAY_WRITE

NOT_OUTSIDE = "no part of the API that is reached from outside"


class UnreadableError(Exception):
    """A request that has no one meaning; its text says why."""


@dataclass(frozen=True)
class Asked:
    """What somebody asks for.

    Attributes:
        user: common name of the certificate.
        method: GET, PUT and so on.
        path: without the query.
        query: each name once.
        body: the JSON document; None where there is none.
    """

    user: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any

    @classmethod
    def of(cls, user: str, method: str, target: str, body: bytes) -> Asked:
        """Read a request.

        Raises:
            UnreadableError: the target has no plain path, a name of the query twice, or the body is no JSON.
        """
        path = target.partition("?")[0]
        if not target.startswith("/") or target.startswith("//") or "%" in path or "#" in target:
            raise UnreadableError("expected a plain path")
        parts = urlsplit(target)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = dict(pairs)
        if len(query) != len(pairs):
            raise UnreadableError("expected each name of the query once")
        try:
            document = json.loads(body, object_pairs_hook=_once) if body else None
        except (ValueError, RecursionError) as error:
            raise UnreadableError(f"expected JSON as body: {error}") from error
        return cls(user, method, parts.path, query, document)


def is_question(asked: Asked) -> bool:
    """Whether somebody asks for nothing but what would be allowed."""
    return asked.path.startswith(f"{MAY_WRITE}/")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object that has each key once: which of two counts is a matter of the reader."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice in one object")
    return found
