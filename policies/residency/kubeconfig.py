"""Where a kubeconfig leads: the server of the context that a provider uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml


class KubeconfigError(Exception):
    """A kubeconfig cannot be read, or names no server; the message says which."""


@dataclass(frozen=True)
class Way:
    """How a provider reaches a cluster.

    Attributes:
        scheme: https, or what is there in its place.
        host: name or address of the API server.
        detour: name of a setting that leads elsewhere or checks nobody's identity; empty where there is none.
    """

    scheme: str
    host: str
    detour: str


DETOURS = ("proxy-url", "insecure-skip-tls-verify", "tls-server-name")


@cache
def way(kubeconfig: str, context: str) -> Way:
    """Return where a context leads.

    Args:
        kubeconfig: path of a file, or the document itself.
        context: name of the context; the document's current one where it is empty.

    Raises:
        KubeconfigError: there is no such file, context or server.
    """
    document = _document(kubeconfig)
    name = context or document.get("current-context")
    cluster = _entry(document, "clusters", _entry(document, "contexts", name, "context").get("cluster"), "cluster")
    parts = urlsplit(str(cluster.get("server", "")))
    if not parts.hostname:
        raise KubeconfigError(f"cluster of context {name!r} without a server")
    detour = next((each for each in DETOURS if cluster.get(each)), "")
    return Way(parts.scheme, parts.hostname, detour)


def _document(kubeconfig: str) -> Mapping[str, Any]:
    text = kubeconfig if "\n" in kubeconfig or kubeconfig.lstrip().startswith("{") else _read(kubeconfig)
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise KubeconfigError("a document that is no YAML") from error
    if not isinstance(found, Mapping):
        raise KubeconfigError("a document that is no mapping")
    return found


def _read(path: str) -> str:
    try:
        return Path(path).expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise KubeconfigError(f"{path}, which cannot be read here") from error


def _entry(document: Mapping[str, Any], key: str, name: object, inner: str) -> Mapping[str, Any]:
    entries = document.get(key)
    for each in entries if isinstance(entries, Sequence) and not isinstance(entries, str) else ():
        if isinstance(each, Mapping) and each.get("name") == name and isinstance(each.get(inner), Mapping):
            found: Mapping[str, Any] = each[inner]
            return found
    raise KubeconfigError(f"no entry {name!r} under {key}")
