"""The edge's own authority, the door's certificate, one for each user, and the CDN's for what it fetches at sites.

Whoever has `ca.key` can be any user: it belongs on no host of the edge and on no operator's machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shopsphere.clients.edge_identity import PULLER, USERS, EdgeIdentity
from shopsphere.foundation.authority_change import Stage, Step, change_authority, stage_of, waits_to_sign
from shopsphere.foundation.certificates import KeyPair, issue, new_authority

DOOR = "door"


def make_edge_keys(folder: Path, names: Iterable[str], step: Step | None = None) -> Stage:
    """Make what is missing; what is there stays.

    Args:
        folder: where they are kept.
        names: names and addresses by which the APIs are reached.
        step: of a change of the authority.

    Returns:
        how far a change of the authority is.

    Raises:
        AuthorityChangeError: another step comes next.
        AuthorityEndedError: the authority has ended, and no other one is begun.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if step in {Step.BEGIN, Step.SIGN}:
        change_authority(folder, step)
    authority = new_authority(folder, "the edge's APIs")
    if waits_to_sign(folder):
        return stage_of(folder)
    certificate, key = folder / f"{DOOR}.crt", folder / f"{DOOR}.key"
    issue(authority, KeyPair(certificate, key), common_name=DOOR, alternatives=tuple(names))
    for user in (*USERS, PULLER):
        _, certificate, key = EdgeIdentity(folder, user).files
        issue(authority, KeyPair(certificate, key), common_name=user)
    if step is Step.END:
        change_authority(folder, step)
    return stage_of(folder)


def door_files(folder: Path) -> tuple[Path, Path, Path]:
    """Return what the host of a door needs: authority, certificate and key."""
    return EdgeIdentity(folder, DOOR).files


def puller_files(folder: Path) -> tuple[Path, Path, Path]:
    """Return what the CDN fetches with: authority (which gateways believe), certificate and key."""
    return EdgeIdentity(folder, PULLER).files
