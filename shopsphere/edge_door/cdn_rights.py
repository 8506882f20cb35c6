"""Who may ask the CDN's configuration API for what."""

from __future__ import annotations

import re

from shopsphere.clients.cdn_agent import CACHE
from shopsphere.clients.edge_identity import DEPLOYER, WATCHER
from shopsphere.edge_door.asked import NOT_OUTSIDE, Asked

DISTRIBUTIONS = "/v1/distributions"
_ONE = re.compile(re.escape(DISTRIBUTIONS) + r"/[a-z0-9-]+")


def cdn_problem(asked: Asked) -> str:
    """Say why a request is refused; empty when it is allowed."""
    one = _ONE.fullmatch(asked.path) is not None
    if asked.query or not (one or asked.path in {DISTRIBUTIONS, CACHE}):
        return NOT_OUTSIDE
    if asked.user not in {DEPLOYER, WATCHER}:
        return "has no business at the CDN"
    if asked.method != "GET" and asked.user == WATCHER:
        return "may only read"
    known = asked.method == "GET" or (asked.method in {"PUT", "DELETE"} and one)
    if not known and (asked.method, asked.path) != ("POST", CACHE):
        return NOT_OUTSIDE
    needs_body = asked.method == "PUT"
    return "" if needs_body == (asked.body is not None) else f"expected {'a' if needs_body else 'no'} body"
