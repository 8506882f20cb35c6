"""A kubeconfig that leads to a server of a test's own."""

import json
from pathlib import Path


def write_kubeconfig(directory: Path, server: str) -> Path:
    """Write one with the context `frankfurt`, without credentials, and return its path."""
    cluster = {"name": "c", "cluster": {"server": server}}
    context = {"name": "frankfurt", "context": {"cluster": "c", "user": "u"}}
    kubeconfig = directory / "config"
    kubeconfig.write_text(
        json.dumps({"clusters": [cluster], "contexts": [context], "users": [{"name": "u", "user": {}}]})
    )
    return kubeconfig
