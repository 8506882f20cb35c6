"""What a stack's last deployment declared: the inputs of its resources, out of its exported state."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from shopsphere.drift.kinds import SECRET
from shopsphere.drift.place import parsed
from shopsphere.foundation.errors import ShopSphereError


class _Mark:
    """How Pulumi marks a value of its state that is more than itself."""

    SIGNATURE = "4dabf18193072939515e22adb298388d"
    OF_SECRETS = "1b47061264138c4ac30d75fd1eb44270"


_TOKEN = "kubernetes:"  # noqa: S105 of a type, not of an identity


class StateError(ShopSphereError):
    """A stack's state is not what it should be, or cannot be read."""


@dataclass(frozen=True)
class Declared:
    """One declared object of a cluster.

    Attributes:
        version: API version, as in apps/v1.
        kind: its kind.
        body: what was applied; secrets in the clear, base64 where the API keeps them so.
        manager: field manager that applied it.
        run_time: fields that are declared for the beginning only, and belong to the run time since (`ignoreChanges`).
        is_owners: the cluster's owner applied it, by whatever program: nobody's record of it is asked for, and its
            labels and annotations are the owner's.
        may_be_missing: an owner may do without it; where it is, it is as declared.
    """

    version: str
    kind: str
    body: Mapping[str, Any]
    manager: str
    run_time: tuple[tuple[str, ...], ...] = ()
    is_owners: bool = False
    may_be_missing: bool = False

    @property
    def is_custom(self) -> bool:
        """Whether its kind is an operator's, and not one of Kubernetes."""
        group = self.version.rpartition("/")[0]
        return "." in group and not group.endswith(".k8s.io")

    @property
    def namespace(self) -> str:
        """Its namespace; empty for an object of the cluster."""
        return str(self.body["metadata"].get("namespace") or "")

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.body["metadata"]["name"])


def declared_objects(exported: Mapping[str, Any]) -> list[Declared]:
    """Return the cluster's objects in an exported state, as `pulumi stack export --show-secrets` prints it.

    Raises:
        StateError: it has another shape, or secrets that were not decrypted.
    """
    try:
        resources: Iterable[Mapping[str, Any]] = exported["deployment"].get("resources") or []
        return [_declared(each) for each in resources if _is_object(each)]
    except (KeyError, TypeError, AttributeError) as error:
        raise StateError(
            f"the exported state cannot be read: {type(error).__name__}: {error}\n"
            "  do:       look at it with `pulumi stack export`"
        ) from error


def _is_object(resource: Mapping[str, Any]) -> bool:
    """Whether it is an object that exists: providers and those that await their end are none."""
    is_read = resource.get("external") or resource.get("delete")
    return bool(resource.get("custom")) and str(resource["type"]).startswith(_TOKEN) and not is_read


def _declared(resource: Mapping[str, Any]) -> Declared:
    inputs = plain(resource["inputs"])
    outputs = resource.get("outputs") or {}
    version, kind = inputs["apiVersion"], inputs["kind"]
    left_out = {"apiVersion", "kind", "status"}
    body = {key: value for key, value in inputs.items() if key not in left_out and not key.startswith("__")}
    return Declared(
        version,
        kind,
        _with_encoded_texts(body) if kind == SECRET else body,
        str(outputs.get("__fieldManager", "")),
        tuple(parsed(path) for path in resource.get("ignoreChanges") or ()),
    )


def plain(value: Any) -> Any:
    """Return a value of a state without what Pulumi wraps secrets in.

    Raises:
        StateError: it is encrypted, or of a type that no input of ours has.
    """
    match value:
        case {_Mark.SIGNATURE: mark, **rest}:
            if mark != _Mark.OF_SECRETS or "plaintext" not in rest:
                raise StateError.build(
                    "the exported state cannot be compared",
                    expected="secrets in the clear, and no other special value",
                    found="an encrypted secret" if mark == _Mark.OF_SECRETS else f"a value of the type {mark}",
                    action="see to the passphrase or the key management of the stack",
                )
            return plain(json.loads(str(rest["plaintext"])))
        case dict():
            return {key: plain(part) for key, part in value.items() if key != "__defaults"}
        case list():
            return [plain(part) for part in value]
        case _:
            return value


def _with_encoded_texts(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a secret as the API keeps it: `stringData` is a way to write, and never read."""
    texts = body.get("stringData") or {}
    encoded = {key: base64.b64encode(str(text).encode()).decode() for key, text in texts.items()}
    rest = {key: value for key, value in body.items() if key != "stringData"}
    return {**rest, "data": {**(body.get("data") or {}), **encoded}}
