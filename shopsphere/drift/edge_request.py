"""How a person takes something back at the edge: one request to an API, as the user who may."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from shopsphere.clients.edge_identity import DEPLOYER, EdgeIdentity


def request_by_hand(access: Mapping[str, Any], method: str, url: str, body: str = "") -> str:
    """Return a shell's line for one request.

    Args:
        access: inputs of a resource, with the folder of certificates.
        method: DELETE and so on.
        url: with the path.
        body: JSON, or nothing.
    """
    authority, certificate, key = map(str, EdgeIdentity.in_props(access, DEPLOYER).files)
    words = ["curl", "-fsS", "--cacert", authority, "--cert", certificate, "--key", key, "-X", method]
    return shlex.join([*words, *(["--json", body] if body else []), url])
