"""Kubernetes manifests as Pulumi takes them."""

from __future__ import annotations

import hashlib
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


def checksum(*texts: pulumi.Input[str]) -> pulumi.Output[str]:
    """Return a digest for a pod template's annotation: pods that read their files once are replaced when it changes.

    The digest of a secret is no secret: what goes in here is random and long, so it cannot be guessed back.
    """
    digest = pulumi.Output.all(*texts).apply(
        lambda all_texts: hashlib.sha256("\0".join(all_texts).encode()).hexdigest()
    )
    return pulumi.Output.unsecret(digest)
