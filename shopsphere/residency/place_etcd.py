"""Keys of an etcd: all objects of a cluster, also those that its API shows to nobody, and the records of a witness."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from shopsphere.residency.place import Seen
from shopsphere.residency.search import Anchored
from shopsphere.witness.identity import Identity
from shopsphere.witness.store import Store

ANSWER_SECONDS = 10.0
_KEYS_AT_ONCE = 100
_MOST_PAGES = 5000
_CONTROLS = "/shopsphere-residency/"
_FIRST = b"\0"


class Etcd:
    """All keys of an etcd, with their values.

    Args:
        name: how reports call it.
        url: where it answers clients.
        shared: whether its voters sit in several jurisdictions.
        identity: who asks, of a witness.
    """

    kind = "etcd"

    def __init__(self, name: str, url: str, *, shared: bool = False, identity: Identity | None = None) -> None:
        self.name, self.shared, self._url, self._identity = name, shared, url, identity

    @contextmanager
    def control(self, word: str) -> Iterator[str]:
        """Put a key with the word, and remove it; one for each search, because all voters of a witness have it."""
        key = _spelled(f"{_CONTROLS}{word}".encode())
        store = Store([self._url], self._identity, seconds=ANSWER_SECONDS)
        try:
            store.call("/v3/kv/put", {"key": key, "value": _spelled(word.encode())})
            try:
                yield word
            finally:
                store.call("/v3/kv/deleterange", {"key": key})
        finally:
            store.close()

    def look(self, anchored: Anchored) -> Seen:
        """Look at every key, a page at a time."""
        seen = Seen()
        store = Store([self._url], self._identity, seconds=ANSWER_SECONDS)
        try:
            first = _FIRST
            for _ in range(_MOST_PAGES):
                page = store.call(
                    "/v3/kv/range", {"key": _spelled(first), "range_end": _spelled(_FIRST), "limit": _KEYS_AT_ONCE}
                )
                entries = page.get("kvs", [])
                for entry in entries:
                    key = base64.b64decode(entry["key"])
                    seen.look(key.decode(errors="replace"), _octets(key, entry), anchored)
                if not page.get("more") or not entries:
                    return seen
                first = base64.b64decode(entries[-1]["key"]) + _FIRST
            seen.note(f"more than {_MOST_PAGES * _KEYS_AT_ONCE} keys; the others were not looked at")
            return seen
        finally:
            store.close()


def _octets(key: bytes, entry: Mapping[str, Any]) -> Iterator[bytes]:
    yield key + b"\0"
    yield base64.b64decode(entry.get("value", ""))


def _spelled(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
