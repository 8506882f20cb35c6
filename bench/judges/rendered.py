"""The Kubernetes objects of every committed stack, as plain manifests in one YAML file per stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from production_topology import fill_in_production
from site_graph import build, committed_stacks

from shopsphere.deploy.declared_graph import Registered


def render(folder: Path) -> dict[str, int]:
    """Write `<stack>.yaml` for every stack of both environments; production is filled in as the tests do.

    Args:
        folder: an empty folder that exists.

    Returns:
        Number of objects by project and stack.
    """
    counts = {}
    with pytest.MonkeyPatch.context() as patch:
        fill_in_production(folder, patch)
        for project, stack in committed_stacks():
            manifests = [manifest(each) for each in build(project, stack).objects]
            (folder / f"{project}-{stack}.yaml").write_text(yaml.safe_dump_all(manifests))
            counts[f"{project}-{stack}"] = len(manifests)
    (folder / "topology.prod.yaml").unlink()
    return counts


def manifest(registered: Registered) -> dict[str, Any]:
    """Return an object as `kubectl apply` would take it."""
    group, _, kind = registered.type.removeprefix("kubernetes:").rpartition(":")
    return {**registered.state, "apiVersion": group.removeprefix("core/"), "kind": kind}
