"""When the certificates end with which programs of this machine log in at a site's API server, by their kubeconfigs."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from shopsphere.estate.access import SiteAccess
from shopsphere.estate.cluster_role import Role
from shopsphere.foundation.certificates import end_of, first_end_in

CERTIFICATE, KEY = "client-certificate", "client-key"


def ends_of_roles(access: SiteAccess, context: str) -> dict[str, datetime | None]:
    """Return when the certificate of each role ends that this machine has for a site (UTC), by role.

    None where a kubeconfig cannot be used. Nothing of a role that has none of its own, whose file is not here, that is
    another user's, or that logs in without a certificate.

    Args:
        access: the ways to the site.
        context: its context where the stack's file names none.
    """
    found: dict[str, datetime | None] = {}
    for role in Role:
        named, key = access.kubeconfig_of(role)
        file = Path(named).expanduser()
        if named and key == role.key and os.access(file, os.R_OK):
            found |= certificate_end(file, access.context or context, str(role))
    return found


def certificate_end(kubeconfig: Path, context: str, name: str) -> dict[str, datetime | None]:
    """Return when the certificate of a kubeconfig's context ends (UTC), under a name.

    None where it cannot be read; nothing where it logs in without one.
    """
    try:
        user = user_in(yaml.safe_load(kubeconfig.read_text()), context)
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, StopIteration):
        return {name: None}
    if data := user.get(f"{CERTIFICATE}-data"):
        return {name: first_end_in(str(data))}
    if file := user.get(CERTIFICATE):
        return {name: end_of(kubeconfig.parent / str(file))}
    return {}


def user_in(document: Any, context: str) -> dict[str, Any]:
    """Return how a kubeconfig's context logs in: the part of the document itself.

    Raises:
        KeyError, TypeError, StopIteration: there is no such context, or the document is no kubeconfig.
    """

    def named(kind: str, name: str) -> dict[str, Any]:
        part: dict[str, Any] = next(each for each in document[f"{kind}s"] if each["name"] == name)[kind]
        return part

    return named("user", named("context", context)["user"])
