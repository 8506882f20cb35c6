"""Kubeconfigs that lead to a server of a test's own."""

import json
from pathlib import Path
from typing import Any


def kubeconfig(context: str, server: str, **cluster: Any) -> dict[str, Any]:
    """Return one with a single context, without credentials; `cluster` adds to what it says of the server."""
    return {
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    }


def write_kubeconfig(directory: Path, server: str) -> Path:
    """Write one with the context `frankfurt`, without credentials, and return its path."""
    file = directory / "config"
    file.write_text(json.dumps(kubeconfig("frankfurt", server)))
    return file
