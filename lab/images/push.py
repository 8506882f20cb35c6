"""Brings built images to an owner's registry, and tells under which digests it serves them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from lab.images.record import Archive
from shopsphere.foundation.errors import ShopSphereError, UsageError
from shopsphere.foundation.process import run
from shopsphere.foundation.progress import step

OPERATOR = "cnpg-operator"
"""Of the database operator: clusters run it before any stack, and no stack names it."""
DEPLOYED = ("shop", "gateway", "postgresql", "archive", OPERATOR)
"""What clusters of an owner run of ours; pause and coredns are their distribution's."""
_PUSH_SECONDS = 1800
_ASK_SECONDS = 60
_REGISTRY = re.compile(r"[a-z0-9][a-z0-9.-]*(:\d+)?(/[a-z0-9._-]+)*")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class PushError(ShopSphereError):
    """A registry serves something else than what was pushed."""


def push_all(archives: Sequence[Archive], registry: str, crane: Path) -> dict[str, str]:
    """Push images, ask for each what the registry serves, and return references with digests by short name.

    Args:
        archives: as they were built.
        registry: host, port if it is not 443, and path if there is one: images lie below it as shopsphere/NAME.
        crane: the program.

    Raises:
        UsageError: this names no registry.
        CommandError: the registry does not answer, or refuses.
        PushError: what it serves under the digest is another image.
    """
    if not _REGISTRY.fullmatch(registry):
        raise UsageError.build(
            f"{registry!r} names no registry",
            expected="host, port and path, as in registry.eu.example.com:5000/retail",
            found=repr(registry),
            action="leave out https:// and a slash at the end",
        )
    found = {}
    for archive in archives:
        name = archive.reference.partition("/")[2]  # without the registry that stands for none
        with step(f"push {name}"):
            found[archive.name] = _push(archive, f"{registry}/{name}", crane)
    return found


def _push(archive: Archive, reference: str, crane: Path) -> str:
    said = run([crane, "push", archive.path, reference], seconds=_PUSH_SECONDS).stdout
    digest = _DIGEST.search(said)
    if digest is None:
        raise _differs(reference, "the digest of what was pushed", said[:200] or "nothing")
    pinned = f"{reference}@{digest[0]}"
    # By the digest, so that the registry itself has to have it: a manifest names its configuration by hash.
    served = run([crane, "config", pinned], seconds=_ASK_SECONDS).stdout
    identity = hashlib.sha256(served.encode()).hexdigest()
    if identity != archive.digest:
        raise _differs(pinned, f"the configuration sha256:{archive.digest}", f"sha256:{identity}")
    return pinned


def _differs(reference: str, expected: str, found: str) -> ShopSphereError:
    return PushError.build(
        f"{reference} is not what was pushed",
        expected=expected,
        found=found,
        action="find out what stands between this machine and the registry; deploy nothing from there",
    )
