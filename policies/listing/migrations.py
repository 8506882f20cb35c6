"""The migration of each database, word for word: its pod is the only one that is given the owner's password.

Whoever may make Jobs in a database's namespace could else make one that runs the same command and something beside it:
a program before it, at its end or as a probe, with another PATH, another volume or another secret.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePath
from typing import Any

from policies.reading import shape_of
from policies.unknown import known
from shopsphere.estate.databases import (
    AUTHORITY_DIRECTORY,
    AUTHORITY_FILE,
    AUTHORITY_SECRET,
    DATABASES,
    MIGRATION_RETRIES,
    DatabaseModel,
)
from shopsphere.estate.placement import NAME_LABEL, RACK_LABEL, SITE_LABEL
from shopsphere.estate.workload_declaration import WorkloadDeclaration, priority_class_name
from shopsphere.estate.workloads import WORKLOADS

BY_NAME: Mapping[str, DatabaseModel] = {f"{each.name}-migration": each for each in DATABASES}
"""Databases by the names of their migrations."""
MIGRATIONS = tuple(("shop", "migrate", each.name) for each in DATABASES)
"""What a Job may run: nothing shows what another one did when it has ended."""
DATABASE_NAMESPACES = tuple(each.namespace.name for each in DATABASES)
"""Where the secrets with the owners' passwords are. Only instances of a database and its migration run there."""
WHY_NOT_BESIDE = "a pod beside a database can take its owner's password; instances and the migration alone run there"
_TMP, _AUTHORITY = "tmp", "pair-authority"


def workload_of(database: DatabaseModel) -> WorkloadDeclaration:
    """Return the workload that the schema of a database is for: its image and its priority are the migration's."""
    return next(
        each for each in WORKLOADS if each.process and each.process.migration and each.databases[:1] == (database,)
    )


def job_of(name: str) -> Mapping[str, Any]:
    """Return what stands in a migration's specification and is the same everywhere."""
    labels = {NAME_LABEL: name}
    return {"backoffLimit": MIGRATION_RETRIES, "template": {"metadata": {"labels": labels}}}


def pod_of(name: str, site: str) -> dict[str, Any]:
    """Return what its pod's specification has, without its containers."""
    items = [{"key": "ca.crt", "path": PurePath(AUTHORITY_FILE).name}]
    spread = {
        "maxSkew": 1,
        "topologyKey": RACK_LABEL,
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": {NAME_LABEL: name}},
        "matchLabelKeys": ["pod-template-hash"],
    }
    return {
        "priorityClassName": priority_class_name(workload_of(BY_NAME[name]).priority),
        "topologySpreadConstraints": [spread],
        "restartPolicy": "OnFailure",
        "nodeSelector": {SITE_LABEL: site},
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 30,
        "volumes": [
            {"name": _TMP, "emptyDir": {"sizeLimit": "64Mi"}},
            {"name": _AUTHORITY, "secret": {"secretName": AUTHORITY_SECRET, "items": items}},
        ],
    }


def container_of(database: DatabaseModel) -> dict[str, Any]:
    """Return what its one container has, without image, resources and settings."""
    return {
        "name": "migrate",
        "command": ["shop", "migrate", database.name],
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": _TMP, "mountPath": "/tmp"},  # noqa: S108 an emptyDir of the pod
            {"name": _AUTHORITY, "mountPath": AUTHORITY_DIRECTORY, "readOnly": True},
        ],
    }


def settings_of(database: DatabaseModel, site: str, environment: str, region: str) -> list[dict[str, Any]]:
    """Return the container's environment in its order.

    Args:
        database: that is migrated.
        site: where.
        environment: lab or prod.
        region: what the shop's processes are told of their region.
    """
    word = database.name.upper()
    plain = {
        f"{word}_DSN": database.owner_dsn,
        "SHOP_ENVIRONMENT": environment,
        "SHOP_REGION_FACTS": region,
        "SHOP_SITE": site,
    }
    named = {name: {"name": name, "value": text} for name, text in plain.items()}
    password = {"secretKeyRef": {"name": database.owner_secret, "key": "password"}}
    return [*(named[name] for name in sorted(named)), {"name": f"{word}_PASSWORD", "valueFrom": password}]


def differences(found: object, wanted: object, place: str) -> Iterator[tuple[str, object, object]]:
    """Yield each place where something is missing or another one, with what was found and what is wanted.

    What is found beside it is not told, apart from entries of lists. What is not known before an update is not told
    either: names of objects that are yet to be made; the site's API server compares them.
    """
    if isinstance(wanted, Mapping):
        if not isinstance(found, Mapping):
            yield place, _told(found), dict(wanted)
            return
        for key, value in wanted.items():
            yield from _differences_at(found, key, value, f"{place}.{key}")
    elif isinstance(wanted, list):
        if not isinstance(found, Sequence) or isinstance(found, str):
            yield place, _told(found), wanted
            return
        if len(found) != len(wanted):
            yield place, len(found), wanted
            return
        for at, value in enumerate(wanted):
            yield from _differences_at(found, at, value, f"{place}[{at}]")
    elif found != wanted or isinstance(found, bool) is not isinstance(wanted, bool):
        yield place, _told(found), wanted


def _told(found: object) -> object:
    """A value as it is told; of a mapping or a list what it is, since pack and plain objects have other classes."""
    return found if isinstance(found, (str, bool, int, float)) else shape_of(found)


def _differences_at(found: Any, key: Any, wanted: object, place: str) -> Iterator[tuple[str, object, object]]:
    if isinstance(found, Mapping) and key not in list(found):  # to ask for the key would touch what is not known
        yield place, "missing", wanted
        return
    value = known(partial(found.__getitem__, key))
    if value is not None:
        yield from differences(value, wanted, place)
    elif isinstance(found, Mapping) and not _is_unknown(found, key):
        yield place, "missing", wanted


def _is_unknown(found: Any, key: Any) -> bool:
    """Whether a value is there, and not known; else it is null."""
    return known(lambda: (found[key], True)) is None
