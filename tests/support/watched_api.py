"""An API server over HTTP that lists objects and lets them be watched, with versions, bookmarks and 410 Gone."""

from __future__ import annotations

import copy
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from declared_site import exported
from kubeconfigs import write_kubeconfig
from live_objects import applied_rights, live_objects

from shopsphere.clients.cluster import Cluster
from shopsphere.drift.kinds import KINDS

Document = dict[str, Any]
_KINDS = {kind.path(): kind.kind for kind in KINDS}


class WatchedApi:
    """Objects by kind, and each change of them by version."""

    def __init__(self) -> None:
        self.news = threading.Condition()
        self.objects: dict[tuple[str, str, str], Document] = {}
        self.changes: list[tuple[int, str, str, Document]] = []
        self.version, self.oldest, self.generation = 10, 0, 0
        self.refused: set[str] = set()
        self.lists: Counter[str] = Counter()
        self.is_ended = False

    def put(self, kind: str, document: Document) -> None:
        """Add an object, or replace it."""
        with self.news:
            key = _key(kind, document)
            what = "MODIFIED" if key in self.objects else "ADDED"
            self.objects[key] = self._record(what, kind, document)

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Take an object away."""
        with self.news:
            self._record("DELETED", kind, self.objects.pop((kind, namespace, name)))

    def bookmark(self, kind: str) -> None:
        """Tell the watches of a kind the version of now."""
        with self.news:
            self._record("BOOKMARK", kind, {"metadata": {}})

    def break_lines(self, *, forget: bool = False) -> None:
        """End all watches; with `forget`, no version from before now is known any more."""
        with self.news:
            self.generation += 1
            self.oldest = self.version if forget else self.oldest
            self.news.notify_all()

    def get(self, kind: str, name: str, namespace: str = "") -> Document:
        """Return a copy of an object, to change it."""
        with self.news:
            return copy.deepcopy(self.objects[kind, namespace, name])

    def _record(self, what: str, kind: str, document: Document) -> Document:
        self.version += 1
        metadata = {**document["metadata"], "resourceVersion": str(self.version)}
        versioned = {**copy.deepcopy(document), "metadata": metadata}
        self.changes.append((self.version, what, kind, versioned))
        self.news.notify_all()
        return versioned


@contextmanager
def serving(folder: Path, lives: dict[str, Document] | None = None) -> Iterator[tuple[WatchedApi, Cluster]]:
    """Serve the objects of a small site, to the client that the product uses."""
    api = WatchedApi()
    resources = [each for each in exported()["deployment"]["resources"] if each["type"].startswith("kubernetes:")]
    for each, live in zip(resources, (lives or live_objects()).values(), strict=True):
        api.put(each["inputs"]["kind"], live)
    for kind, live in applied_rights():
        api.put(kind, live)

    class Handler(_Handler):
        store = api

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield api, Cluster(write_kubeconfig(folder, f"http://127.0.0.1:{server.server_port}"), "frankfurt")
        finally:
            api.is_ended = True
            api.break_lines()
            server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    store: WatchedApi

    def do_GET(self) -> None:
        place = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(place.query).items()}
        root, _, rest = place.path.partition("/namespaces/")
        namespace, _, plural = rest.partition("/")
        kind = _KINDS.get(f"{root}/{plural}" if rest else place.path, "")
        if not kind or kind in self.store.refused:
            self._answer(403 if kind else 404, {"message": "no"})
        elif "watch" not in query:
            self._list(place.path, kind, namespace)
        elif int(query["resourceVersion"]) < self.store.oldest:
            self._answer(410, {"message": "too old resource version"})
        else:
            self._watch(kind, namespace, int(query["resourceVersion"]))

    def _list(self, path: str, kind: str, namespace: str) -> None:
        with self.store.news:
            self.store.lists[path] += 1
            items = [each for key, each in self.store.objects.items() if key[0] == kind and namespace in {"", key[1]}]
            document = {"metadata": {"resourceVersion": str(self.store.version)}, "items": items}
        self._answer(200, document)

    def _watch(self, kind: str, namespace: str, version: int) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        store, began = self.store, self.store.generation
        while True:
            with store.news:
                new = [each for each in store.changes if each[0] > version]
                if not new:
                    if store.generation != began:
                        break
                    store.news.wait(1)
                    continue
            for at, what, of, document in new:
                version = at
                if of == kind and (what == "BOOKMARK" or namespace in {"", document["metadata"].get("namespace", "")}):
                    line = json.dumps({"type": what, "object": document}).encode() + b"\n"
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                    self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    def _answer(self, status: int, document: Document) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: str) -> None:
        """Say nothing."""


def _key(kind: str, document: Document) -> tuple[str, str, str]:
    return kind, document["metadata"].get("namespace", ""), document["metadata"]["name"]
