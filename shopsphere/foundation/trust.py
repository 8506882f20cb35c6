"""Whose certificates count when nothing else is said."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def usual_trust() -> ssl.SSLContext:
    """Return the context that httpx makes by itself, but only once.

    It reads every authority, which takes longer than a request to a service nearby, and httpx makes it for each client
    anew, also for one that speaks no TLS.
    """
    return httpx.create_ssl_context(trust_env=False)
