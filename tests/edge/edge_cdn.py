"""The CDN as its tests ask it: requests over TLS, and commands to the cache behind it."""

from __future__ import annotations

from typing import Protocol

import httpx
from edge_host import EdgeHost

from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.process import run

HOST = "static.shopsphere.test"


class Fetch(Protocol):
    """Ask the CDN."""

    def __call__(self, path: str, method: str = "GET", host: str = HOST, **headers: str) -> httpx.Response: ...


def varnish(edge: EdgeHost, *words: str) -> str:
    # Not checked: right after a restart the cache may not take commands yet.
    return run(["varnishadm", "-n", edge.settings.varnish_directory, *words], check=False).stdout


def loaded(edge: EdgeHost) -> list[tuple[str, str]]:
    """State and name of each configuration in the cache; the count of its users comes and goes."""
    words = [line.split() for line in varnish(edge, "vcl.list").splitlines() if line]
    return [(line[0], line[-1]) for line in words]


def healthy(edge: EdgeHost, count: int) -> None:
    def seen() -> bool:
        lines = [line.split() for line in varnish(edge, "backend.list").splitlines() if "o__static__" in line]
        return sum("healthy" in line for line in lines) == count

    wait_until(seen, what=f"{count} healthy origins", seconds=90, explain=lambda: varnish(edge, "backend.list"))
