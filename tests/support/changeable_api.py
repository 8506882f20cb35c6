"""A cluster in memory that is applied to and patched, as far as a repair needs it; a real one is in tests/preview."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from live_objects import fields_v1, managed

from shopsphere.clients.cluster_errors import ConflictError, RefusedError

Document = dict[str, Any]
_WHOLE = {"egress", "externalClusters", "policyTypes", "subjects", "command"}


class ChangeableApi:
    """Objects by path, and what was asked for; `before` is called ahead of each change."""

    def __init__(self, objects: dict[str, Document]) -> None:
        self.objects, self.changes = objects, list[tuple[str, str]]()
        self.loads = ["inet shopsphere_fence", "ip shopsphere_pod_guard"]
        self.told: Document = {}
        self.before: Callable[[], object] = lambda: None

    def get(self, path: str, **_query: str) -> Document:
        """Answer as a host's agent does that tells its rules."""
        assert path.endswith("/rules")
        return copy.deepcopy(self.told)

    def find(self, path: str) -> Document | None:
        """Return a copy."""
        return copy.deepcopy(self.objects.get(path))

    def apply(self, path: str, document: Document, *, manager: str) -> Document:
        """Set what is declared, and take it from other managers; what others added stays."""
        self._changed("apply", path)
        live, metadata = self.objects[path], document["metadata"]
        if metadata.get("resourceVersion") != live["metadata"]["resourceVersion"]:
            raise ConflictError(f"PATCH {path}: 409 Conflict")
        wanted = {key: value for key, value in document.items() if key not in {"apiVersion", "kind"}}
        named = {key: value for key, value in metadata.items() if key != "resourceVersion"}
        _merge(live, {**wanted, "metadata": named})
        fields = fields_v1({key: value for key, value in wanted.items() if key != "metadata"}, ())
        fields["f:metadata"] = {"f:labels": fields_v1(named.get("labels", {}), ())}
        others = [each for each in live["metadata"]["managedFields"] if each["manager"] != manager]
        for each in others:
            _take(each["fieldsV1"], fields)
        live["metadata"]["managedFields"] = [managed(manager, "Apply", "2026-11-28T00:00:00Z", fields), *others]
        return live

    def patch_steps(self, path: str, steps: Sequence[Document], *, manager: str) -> Document:
        """Carry out a JSON patch, all of it or nothing."""
        assert manager
        self._changed("patch", path)
        live = copy.deepcopy(self.objects[path])
        for step in steps:
            *way, last = [each.replace("~1", "/").replace("~0", "~") for each in step["path"].split("/")[1:]]
            node: Any = live
            for key in way:
                node = node[int(key)] if isinstance(node, list) else node[key]
            place: Any = int(last) if isinstance(node, list) else last
            if step["op"] == "test" and node[place] != step["value"]:
                raise RefusedError(f"PATCH {path}: 422: test failed")
            if step["op"] == "remove":
                del node[place]
            if step["op"] == "replace":
                node[place] = step["value"]
        self.objects[path] = live
        return live

    def delete(self, path: str, *, uid: str = "") -> None:
        """Delete the object with this identity."""
        self._changed("delete", path)
        assert self.objects[path]["metadata"]["uid"] == uid
        del self.objects[path]

    def create(self, path: str, document: Document) -> Document:
        """Answer as a host's agent does that loads its rules again."""
        assert document == {}
        self._changed("load", path)
        return {"loaded": self.loads}

    def _changed(self, what: str, path: str) -> None:
        self.before()
        self.changes.append((what, path.rpartition("/")[2]))


def _merge(live: Document, wanted: Mapping[str, Any]) -> None:
    for key, value in wanted.items():
        found = live.get(key)
        if isinstance(value, Mapping) and isinstance(found, dict):
            _merge(found, value)
        elif isinstance(value, list) and isinstance(found, list) and key not in _WHOLE and _named(value):
            by_name = {each["name"]: each for each in found}
            for each in value:
                if each["name"] in by_name:
                    _merge(by_name[each["name"]], each)
                else:
                    found.append(copy.deepcopy(each))
        else:
            live[key] = copy.deepcopy(value)


def _named(entries: Sequence[Any]) -> bool:
    return all(isinstance(each, Mapping) and "name" in each for each in entries)


def _take(tree: Document, taken: Mapping[str, Any]) -> None:
    for key in [*tree]:
        if key in taken:
            if not taken[key] or not tree[key]:
                del tree[key]
            else:
                _take(tree[key], taken[key])
                if not tree[key]:
                    del tree[key]
