"""What a request may be at most, for every process: checked on the raw bytes, before anything reads or keeps them."""

from __future__ import annotations

from typing import Any

LONGEST_PATH = 512
"""Bytes; the longest address of ours has some 100."""
LONGEST_QUERY = 2048
"""Bytes; a question of 80 four-byte letters has 960."""
LARGEST_HEADERS = 16 * 1024
MOST_HEADERS = 100


def problem_of(scope: Any) -> tuple[int, str] | None:
    """Return status and reason when a request is beyond the bounds or its path is no text, else None."""
    path = scope["path"]
    if len(path.encode(errors="replace")) > LONGEST_PATH or len(scope["query_string"]) > LONGEST_QUERY:
        return 414, f"expected a path of {LONGEST_PATH} bytes and a query of {LONGEST_QUERY} bytes at most\n"
    headers = scope["headers"]
    if len(headers) > MOST_HEADERS or sum(len(name) + len(value) for name, value in headers) > LARGEST_HEADERS:
        return 431, f"expected {MOST_HEADERS} headers of {LARGEST_HEADERS} bytes together at most\n"
    if not path.isprintable() or "\ufffd" in path:
        return 404, "there is no such page\n"  # no address of ours holds such characters
    return None
