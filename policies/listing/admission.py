"""Admission policies: what a site's own API server refuses. They refuse only; nothing is let in or changed by one."""

from __future__ import annotations

from collections.abc import Mapping

from policies.listing.metadata import object_of
from policies.listing.shape import ListedType, Only, Shape

EXPRESSIONS: tuple[Shape] = ({"name": "its name", "expression": "CEL, which can read the object and nothing else"},)
POLICY: Mapping[str, Shape] = {
    "failurePolicy": Only("a policy that cannot be asked must not let anything in", ("Fail",)),
    "matchConstraints": {
        "resourceRules": (
            dict.fromkeys(("apiGroups", "apiVersions", "operations", "resources", "scope"), "which objects are judged"),
        ),
        "namespaceSelector": {
            "matchExpressions": (dict.fromkeys(("key", "operator", "values"), "namespaces that are not judged"),)
        },
        "objectSelector": {},
        "matchPolicy": Only("another version of a kind is the same object", ("Equivalent",)),
    },
    "matchConditions": EXPRESSIONS,
    "variables": EXPRESSIONS,
    "validations": (
        {
            "expression": "CEL, which can read the object and nothing else",
            "message": "for people",
            "reason": "for people",
        },
    ),
}
ADMISSION: Mapping[str, ListedType] = {
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy": ListedType(
        "Refuses objects at the site's API server; it lets nothing in that was refused without it.",
        object_of(spec=POLICY),
    ),
    "kubernetes:admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding": ListedType(
        "Puts one such policy into force.",
        object_of(
            spec={
                "policyName": "policy of the same site",
                "validationActions": (Only("a warning refuses nothing", ("Deny",)),),
            }
        ),
    ),
}
