"""What an admission policy is made of, and its manifests (admissionregistration.k8s.io/v1)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Manifest = dict[str, Any]
API_VERSION = "admissionregistration.k8s.io/v1"
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
WRITES = ("CREATE", "UPDATE")
NAME_PREFIX = "shopsphere-"
SYSTEM_NAMESPACES: Mapping[str, str] = {
    "kube-system": "the cluster's own programs, DNS among them: they need the node, and hold no data of customers",
    "kube-public": "what anybody may read of the cluster itself; no pods",
    "kube-node-lease": "signs of life of the nodes; no pods",
    "cnpg-system": "the database operator, which the owner installs before the stack; what it makes is judged",
}
"""Namespaces whose objects are not judged, and why. Every other one is, whoever makes it and whatever its labels."""


@dataclass(frozen=True)
class Resources:
    """Kinds of one API group, as paths name them.

    Attributes:
        group: API group; empty for the unnamed one.
        names: plurals; `*` for all of the group.
        version: API version.
    """

    group: str
    names: tuple[str, ...]
    version: str = "*"


@dataclass(frozen=True)
class Validation:
    """One thing that has to be true.

    Attributes:
        rule: id of the rule whose verdict it is.
        expression: CEL; true where there is nothing against the object.
        message: what is wrong and what is allowed, without the id.
    """

    rule: str
    expression: str
    message: str


@dataclass(frozen=True)
class AdmissionPolicy:
    """Validations of kinds that have the same shape.

    Attributes:
        name: unique in the site, without the prefix.
        resources: what is judged.
        validations: what has to be true, the most telling first: the API server reports one.
        variables: CEL by name, for validations; each may use those before it.
        conditions: CEL by name; the policy is asked where all are true.
        operations: what is judged.
        in_system_namespaces: whether objects of SYSTEM_NAMESPACES are judged too.
    """

    name: str
    resources: tuple[Resources, ...]
    validations: tuple[Validation, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    conditions: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[str, ...] = WRITES
    in_system_namespaces: bool = False

    @property
    def full_name(self) -> str:
        """Name of the policy and of its binding in the cluster."""
        return f"{NAME_PREFIX}{self.name}"

    def spec(self) -> Manifest:
        """Return `spec` of the policy, with what the API server would fill in: drift compares what is declared."""
        elsewhere = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": [*SYSTEM_NAMESPACES]}
        constraints: Manifest = {
            "resourceRules": [self._rule(each) for each in self.resources],
            "namespaceSelector": {} if self.in_system_namespaces else {"matchExpressions": [elsewhere]},
            "objectSelector": {},
            "matchPolicy": "Equivalent",
        }
        found: Manifest = {
            "failurePolicy": "Fail",
            "matchConstraints": constraints,
            "validations": [
                {"expression": each.expression, "message": f"{each.rule}: {each.message}", "reason": "Forbidden"}
                for each in self.validations
            ],
        }
        if self.conditions:
            found["matchConditions"] = _named(self.conditions)
        if self.variables:
            found["variables"] = _named(self.variables)
        return found

    def binding_spec(self) -> Manifest:
        """Return `spec` of the binding: whatever the policy matches is refused, not only told."""
        return {"policyName": self.full_name, "validationActions": ["Deny"]}

    def _rule(self, resources: Resources) -> Manifest:
        return {
            "apiGroups": [resources.group],
            "apiVersions": [resources.version],
            "operations": [*self.operations],
            "resources": [*resources.names],
            "scope": "*",
        }


def manifests(policies: Iterable[AdmissionPolicy], labels: Mapping[str, str] | None = None) -> list[Manifest]:
    """Return each policy with its binding, as documents for the API server."""
    found = []
    for policy in policies:
        metadata: Manifest = {"name": policy.full_name, **({"labels": dict(labels)} if labels else {})}
        for kind, spec in ((POLICY, policy.spec()), (BINDING, policy.binding_spec())):
            found.append({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec})
    return found


def literal(value: object) -> str:
    """Return a text, number, list or mapping as CEL writes it, which is as JSON does."""
    return json.dumps(value, ensure_ascii=False)


def literals(values: Iterable[object]) -> str:
    """Return a list in CEL; sorted, so that the same facts make the same policy."""
    return literal(sorted(map(str, values)))


def either(*expressions: str) -> str:
    """Return what is true where one of these is."""
    return " || ".join(f"({each})" for each in expressions)


def every(*expressions: str) -> str:
    """Return what is true where all of these are."""
    return " && ".join(f"({each})" for each in expressions)


def told(allowed: Sequence[object] | frozenset[object]) -> str:
    """Return names for a message."""
    return ", ".join(sorted(map(str, allowed))) or "none"


def _named(expressions: Mapping[str, str]) -> list[Manifest]:
    return [{"name": name, "expression": expression} for name, expression in expressions.items()]
