"""Requests over HTTP/2, as curl makes them: what came back, and over how many connections."""

from __future__ import annotations

import json
from dataclasses import dataclass

from shopsphere.foundation.process import run


@dataclass(frozen=True)
class Http2Answers:
    """What curl says of its transfers."""

    versions: list[str]
    statuses: list[int]
    connections: int


def http2(address: str, port: int, host: str, paths: list[str], *, every: int = 0, body: str = "") -> Http2Answers:
    """Ask for all paths with one curl, which keeps a connection for as long as the server lets it.

    Args:
        address: of the server.
        port: of the server.
        host: its name.
        paths: one after the other.
        every: seconds from the start of one request to that of the next; 0 for no pause.
        body: makes each request a POST of it; empty for GET.
    """
    urls = [f"https://{host}:{port}{path}" for path in paths]
    words = ["curl", "--silent", "--insecure", "--http2", "--noproxy", "*", "--max-time", "30"]
    words += ["--resolve", f"{host}:{port}:{address}", "--write-out", "%{json}\n"]
    words += ["--rate", f"{60 // every}/m"] if every else []
    words += ["--data", body] if body else []
    for url in urls:
        words += ["--output", "/dev/null", url]
    answers = [json.loads(line) for line in run(words, seconds=150).stdout.splitlines()]
    return Http2Answers(
        versions=[answer["http_version"] for answer in answers],
        statuses=[answer["http_code"] for answer in answers],
        connections=sum(answer["num_connects"] for answer in answers),
    )
