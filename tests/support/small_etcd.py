"""As much of etcd as a witness asks for, in memory: transactions over keys and ranges, leases on a clock of its own."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Mapping
from typing import Any

import httpx
from manual_clock import ManualClock


class SmallEtcd:
    """One store; each client has a transport of its own, which may be cut."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.revision, self.numbers = clock, 1, itertools.count(10)
        self.entries: dict[bytes, tuple[bytes, int, int]] = {}  # value, revision, lease
        self.ends: dict[int, tuple[float, int]] = {}  # lease: end, length

    def keys(self) -> list[str]:
        self._expire()
        return sorted(key.decode() for key in self.entries)

    def _expire(self) -> None:
        for lease in [lease for lease, (end, _) in self.ends.items() if end <= self.clock.now]:
            self._revoke(lease)

    def _revoke(self, lease: int) -> None:
        self.ends.pop(lease, None)
        self.entries = {key: entry for key, entry in self.entries.items() if entry[2] != lease}

    def answer(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        self._expire()
        if path == "/v3/kv/txn":
            return self._transaction(body)
        lease = int(body.get("ID", 0))
        if path == "/v3/lease/grant":
            lease = next(self.numbers)
            self.ends[lease] = self.clock.now + int(body["TTL"]), int(body["TTL"])
            return {"ID": str(lease)}
        if path == "/v3/lease/revoke":
            self._revoke(lease)
            return {}
        assert path == "/v3/lease/keepalive", path
        if lease not in self.ends:
            return {"result": {"ID": str(lease)}}
        length = self.ends[lease][1]
        self.ends[lease] = self.clock.now + length, length
        return {"result": {"ID": str(lease), "TTL": str(length)}}

    def _transaction(self, body: Mapping[str, Any]) -> dict[str, Any]:
        holds = all(self._holds(each) for each in body["compare"])
        responses = []
        for operation in body["success" if holds else "failure"]:
            if "requestPut" in operation:
                put = operation["requestPut"]
                assert int(put["lease"]) == 0 or int(put["lease"]) in self.ends, "requested lease not found"
                self.revision += 1
                self.entries[_bytes(put["key"])] = _bytes(put["value"]), self.revision, int(put["lease"])
                continue
            if "requestDeleteRange" in operation:
                self.revision += 1
                self.entries.pop(_bytes(operation["requestDeleteRange"]["key"]), None)
                continue
            found = self._range(operation["requestRange"])
            pairs = [
                {"key": _text(key), "value": _text(value), "mod_revision": str(revision), "lease": str(lease)}
                for key, (value, revision, lease) in found.items()
            ]
            responses.append({"response_range": {"kvs": pairs}})
        return {"header": {"revision": str(self.revision)}, "succeeded": holds, "responses": responses}

    def _range(self, place: Mapping[str, Any]) -> dict[bytes, tuple[bytes, int, int]]:
        first = _bytes(place["key"])
        end = _bytes(place["range_end"]) if "range_end" in place else first + b"\0"
        return {key: entry for key, entry in sorted(self.entries.items()) if first <= key < end}

    def _holds(self, compare: Mapping[str, Any]) -> bool:
        found = self._range(compare)
        match compare["target"]:
            case "VALUE":
                return bool(found) and all(entry[0] == _bytes(compare["value"]) for entry in found.values())
            case "MOD":
                return all(entry[1] == int(compare["mod_revision"]) for entry in found.values() or [(b"", 0, 0)])
            case "VERSION":
                assert compare["version"] == "0"
                return not found
        raise AssertionError(compare)


class Line:
    """The way of one client to the store."""

    def __init__(self, etcd: SmallEtcd) -> None:
        self._etcd, self.cut, self.asked = etcd, False, 0
        self.transport = httpx.MockTransport(self._carry)

    def _carry(self, request: httpx.Request) -> httpx.Response:
        if self.cut:
            raise httpx.ConnectError("cut")
        self.asked += 1
        if request.url.path == "/v3/auth/authenticate":
            return httpx.Response(400, json={"code": 9, "message": "etcdserver: authentication is not enabled"})
        return httpx.Response(200, json=self._etcd.answer(request.url.path, json.loads(request.content)))


def _bytes(text: str) -> bytes:
    return base64.b64decode(text)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
