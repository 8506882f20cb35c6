"""Kubernetes manifests as Pulumi takes them."""

from __future__ import annotations

from typing import Any, TypeAlias

import pulumi

Manifest: TypeAlias = Any
"""A part of a manifest that is put together from several places.

Pulumi's own types fit a literal that stands in one piece; this one is judged by the API server's dry run, at preview.
"""


def name_of(created: Manifest) -> pulumi.Output[str]:
    """Return the name of an object as an output: whatever uses it waits until the object exists."""
    name: pulumi.Output[str] = created.metadata.apply(lambda metadata: str(metadata.name))
    return name
