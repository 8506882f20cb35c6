"""Live objects of a small site as an API server returns them: with defaults, and with the owners of fields.

They are written the way that a real API server was seen to (tests/preview/test_drift.py asks one).
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Sequence
from typing import Any

from declared_site import OURS, Document, declared_bodies

from shopsphere.estate.cluster_rights import agent_rights

Step = str | int | dict[str, Any]
"""A field, the index of an element of a list that is owned as a whole, or what tells an element of another list."""

DEPLOYED = "2026-11-26T08:00:00Z"
LATER = "2026-11-27T12:34:56Z"
_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "ports": ("containerPort", "protocol"),
}
"""Keys of the lists that Kubernetes merges; a Service's ports and a policy's have others, see `_keys_of`."""
_WHOLE_LISTS = {"egress", "subjects", "externalClusters", "metrics", "policyTypes", "command"}
_OWNED_AS_A_WHOLE = {*_WHOLE_LISTS, "selector"}


def live_objects(bodies: dict[str, Document] | None = None) -> dict[str, Document]:
    """What the API server returns after the deployment, by the same short names."""
    return {name: live_of(body, name) for name, body in (bodies or declared_bodies()).items()}


def applied_rights(site: str = "frankfurt", manager: str = "kubectl") -> list[tuple[str, Document]]:
    """What the owner of a site's cluster applied for its agents, with the kind of each, and a label of the owner's."""
    found = []
    for each in agent_rights(site):
        applied = {key: value for key, value in copy.deepcopy(each).items() if key not in {"apiVersion", "kind"}}
        fields: Document = {f"f:{key}": {} for key in applied if key != "metadata"}
        applied["metadata"] |= {
            "uid": f"{each['kind']}-{each['metadata']['name']}",
            "resourceVersion": "1",
            "creationTimestamp": DEPLOYED,
            "labels": {"team": "clusters"},
            "managedFields": [managed(manager, "Apply", DEPLOYED, fields)],
        }
        found.append((each["kind"], applied))
    return found


def live_of(body: Document, uid: str) -> Document:
    """One live object as it was declared, with what the API server fills in."""
    applied = {key: value for key, value in body.items() if key not in {"apiVersion", "kind", "stringData"}}
    if "stringData" in body:
        applied["data"] = {key: base64.b64encode(text.encode()).decode() for key, text in body["stringData"].items()}
    live = copy.deepcopy(applied)
    fields = fields_v1({key: value for key, value in applied.items() if key != "metadata"}, ())
    fields["f:metadata"] = {"f:labels": fields_v1(applied["metadata"]["labels"], ())}
    live["metadata"] |= {
        "uid": uid,
        "resourceVersion": "1",
        "generation": 1,
        "creationTimestamp": DEPLOYED,
        "managedFields": [managed(OURS, "Apply", DEPLOYED, fields)],
    }
    _fill_in(live, body["kind"])
    return live


def managed(manager: str, operation: str, at: str, fields: Document, *, subresource: str = "") -> Document:
    """One entry of `managedFields`."""
    entry = {
        "manager": manager,
        "operation": operation,
        "apiVersion": "v1",
        "time": at,
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
    }
    return {**entry, **({"subresource": subresource} if subresource else {})}


def set_by(
    live: Document, path: Sequence[Step], value: Any, manager: str = "kubectl-patch", *, subresource: str = ""
) -> None:
    """Set a value as another manager; None removes it, which leaves no record of who did it.

    The deployment loses what the other one takes.
    """
    steps = _owned(path)
    for entry in live["metadata"]["managedFields"]:
        _forget(entry["fieldsV1"], steps)
    if value is not None:
        is_whole = any(isinstance(step, int) or step in _WHOLE_LISTS for step in path if not isinstance(step, dict))
        fields: Document = {} if is_whole else fields_v1(value, path)
        for step in reversed(steps):
            fields = {step: fields}
        live["metadata"]["managedFields"].append(managed(manager, "Update", LATER, fields, subresource=subresource))
    _put(live, path, value)


def fields_v1(value: Any, path: Sequence[Step]) -> Document:
    """The tree of fields that an applied value owns."""
    if isinstance(value, dict):
        return {f"f:{key}": fields_v1(part, (*path, key)) for key, part in value.items()}
    keys = _keys_of(path)
    if isinstance(value, list) and keys:
        return {
            _key_of(each, keys): {".": {}, **fields_v1(each, (*path, {}))} for each in value if isinstance(each, dict)
        }
    return {}


def _keys_of(path: Sequence[Step]) -> tuple[str, ...]:
    if not path or not isinstance(path[-1], str) or "egress" in path or "externalClusters" in path:
        return ()
    if path[-1] == "ports" and "containers" not in path:
        return ("port", "protocol")
    return _KEYS.get(path[-1], ())


def _key_of(element: Document, keys: Sequence[str]) -> str:
    return "k:" + json.dumps({key: element.get(key, "TCP") for key in keys}, separators=(",", ":"))


def _owned(path: Sequence[Step]) -> list[str]:
    """The path as owners of fields have it, up to the list or mapping that is owned as a whole."""
    steps = []
    for step in path:
        if isinstance(step, int):
            break
        if isinstance(step, dict):
            steps.append("k:" + json.dumps(step, separators=(",", ":")))
        else:
            steps.append(f"f:{step}")
        if isinstance(step, str) and step in _OWNED_AS_A_WHOLE:
            break
    return steps


def _forget(tree: Document, steps: Sequence[str]) -> None:
    for step in steps[:-1]:
        tree = tree.get(step, {})
    tree.pop(steps[-1], None)


def _put(node: Any, path: Sequence[Step], value: Any) -> None:
    for step in path[:-1]:
        node = _child(node, step)
    last = path[-1]
    if isinstance(last, str):
        if value is None:
            node.pop(last)
        else:
            node[last] = value
        return
    at = last if isinstance(last, int) else next((n for n, each in enumerate(node) if last.items() <= each.items()), -1)
    if value is None:
        node.pop(at)
    elif 0 <= at < len(node):
        node[at] = value
    else:
        node.append(value)


def _child(node: Any, step: Step) -> Any:
    if isinstance(step, dict):
        return next(each for each in node if step.items() <= each.items())
    if isinstance(step, int):
        return node[step]
    return node.setdefault(step, {})


def _fill_in(live: Document, kind: str) -> None:
    """Add what no manager owns: defaults of the API server."""
    match kind:
        case "Deployment":
            live["spec"] |= {"replicas": 1, "progressDeadlineSeconds": 600, "revisionHistoryLimit": 10}
            pod = live["spec"]["template"]["spec"]
            pod |= {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler"}
            pod |= {"terminationGracePeriodSeconds": 30}
            for container in pod["containers"]:
                container["terminationMessagePath"] = "/dev/termination-log"
                container["imagePullPolicy"] = "IfNotPresent"
                container["readinessProbe"] |= {"timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3}
                container["readinessProbe"]["httpGet"]["scheme"] = "HTTP"
                container["resources"]["requests"]["cpu"] = "500m"
                container["ports"][0]["protocol"] = "TCP"
            live["status"] = {"replicas": 1}
        case "Service":
            live["spec"] |= {"clusterIP": "10.96.0.7", "clusterIPs": ["10.96.0.7"], "type": "ClusterIP"}
            live["spec"] |= {"sessionAffinity": "None", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}
            live["spec"]["ports"][0]["protocol"] = "TCP"
        case "NetworkPolicy":
            live["spec"]["egress"][1]["ports"][0]["protocol"] = "TCP"
        case "Namespace":
            live["spec"] = {"finalizers": ["kubernetes"]}
            live["metadata"]["labels"]["kubernetes.io/metadata.name"] = live["metadata"]["name"]
        case "PersistentVolume":
            live["spec"] |= {"persistentVolumeReclaimPolicy": "Retain", "volumeMode": "Filesystem"}
        case "Cluster":
            live["spec"] |= {"enablePDB": True, "logLevel": "info"}
