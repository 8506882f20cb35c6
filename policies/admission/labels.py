"""Labels of class, jurisdiction, site and owner: RES-001, RES-003, RES-004, RES-009, and the namespaces' SEC-001."""

from __future__ import annotations

from policies.admission.language import AdmissionPolicy, Resources, Validation, either, literal, literals, told
from policies.admission.site_facts import SiteFacts
from policies.security.sec_001_restricted_pods import ENFORCE
from shopsphere.estate.placement import DATA_CLASS_LABEL, JURISDICTION_LABEL, OWNER_LABEL, SITE_LABEL

OWN_LABELS = "object.metadata.?labels.orValue({})"
HOLDING_DATA = (
    Resources("", ("pods", "persistentvolumes", "persistentvolumeclaims")),
    Resources("apps", ("deployments", "replicasets")),
    Resources("batch", ("jobs",)),
    Resources("postgresql.cnpg.io", ("clusters",)),
)
"""What must have the labels. Other workloads nobody lists, so `kinds` refuses them whole."""
OTHERS = (
    Resources("", ("configmaps", "secrets", "services", "resourcequotas", "limitranges")),
    Resources("networking.k8s.io", ("networkpolicies",)),
    Resources("autoscaling", ("horizontalpodautoscalers",)),
    Resources("policy", ("poddisruptionbudgets",)),
)
"""What need not have the labels, since operators make it without; where there are some, they tell the truth."""
NOT_LEAVING = {
    "not-leaving": "request.operation != 'UPDATE' || !has(object.metadata.deletionTimestamp) || "
    "object.?spec != oldObject.?spec || object.metadata.?labels != oldObject.metadata.?labels"
}
"""Whoever takes the finalizers off an object that is being deleted is not asked about what it was."""
JOB_PODS = {
    "not-of-a-job": "request.resource.resource != 'pods' || !object.metadata.?ownerReferences.orValue([])"
    ".exists(owner, owner.kind == 'Job' && owner.apiVersion == 'batch/v1')"
}
"""The database operator labels its jobs and not their pods; nobody else may make jobs, and all else is judged."""


def policies(facts: SiteFacts) -> list[AdmissionPolicy]:
    """Return the policies about labels of one site."""
    return [
        AdmissionPolicy(
            "labels",
            (*HOLDING_DATA, *((Resources("apps", ("statefulsets",)),) if facts.event_log else ())),
            (*placed("variables.labels", facts), _class_of_namespace("request.?namespace.orValue('')", facts)),
            {"labels": OWN_LABELS},
            {**NOT_LEAVING, **JOB_PODS},
        ),
        AdmissionPolicy(
            "namespaces",
            (Resources("", ("namespaces",)),),
            (*placed("variables.labels", facts), _class_of_namespace("object.metadata.name", facts), _restricted()),
            {"labels": OWN_LABELS},
            NOT_LEAVING,
        ),
        AdmissionPolicy(
            "labels-of-others",
            OTHERS,
            (
                _label_in("variables.labels", SITE_LABEL, facts.sites, facts.site, "RES-004"),
                _class_of_namespace("request.?namespace.orValue('')", facts),
            ),
            {"labels": OWN_LABELS},
            NOT_LEAVING,
        ),
    ]


def placed(labels: str, facts: SiteFacts, place: str = "metadata.labels") -> tuple[Validation, ...]:
    """Return what has to be true of a set of labels.

    Args:
        labels: CEL of a map of texts.
        facts: of the site.
        place: where the labels are, for messages.
    """
    vocabulary = (
        (DATA_CLASS_LABEL, facts.classes),
        (JURISDICTION_LABEL, facts.jurisdictions),
        (SITE_LABEL, facts.sites),
    )
    return (
        *(
            Validation(
                "RES-001",
                f"{value(labels, label)} in {literals(names)}",
                f"{place} needs {label}, one of {told(names)}",
            )
            for label, names in vocabulary
        ),
        Validation("RES-001", f"{value(labels, OWNER_LABEL)} != ''", f"{place} needs {OWNER_LABEL}"),
        _label_in(labels, SITE_LABEL, facts.sites, facts.site, "RES-004", place),
        _label_in(labels, JURISDICTION_LABEL, facts.jurisdictions, facts.jurisdiction, "RES-003", place),
        Validation(
            "RES-003",
            either(
                f"!({value(labels, DATA_CLASS_LABEL)} in {literals(facts.classes)})",
                f"{value(labels, DATA_CLASS_LABEL)} in {literals(facts.classes_here)}",
            ),
            f"{place}: a class that {facts.site} may not hold; it may hold {told(facts.classes_here)}",
        ),
    )


def value(labels: str, label: str) -> str:
    """Return CEL of one label's value; empty where it is missing."""
    return f"{labels}[?{literal(label)}].orValue('')"


def strictness_of(expression: str, facts: SiteFacts) -> str:
    """Return CEL of how strict the class is that an expression names."""
    return f"{literal(dict(facts.strictness))}[?{expression}].orValue(-1)"


def _label_in(
    labels: str, label: str, names: tuple[str, ...], own: str, rule: str, place: str = "metadata.labels"
) -> Validation:
    """A known value is the site's own; RES-001 asks for one that is missing or unknown."""
    found = value(labels, label)
    return Validation(
        rule,
        either(f"!({found} in {literals(names)})", f"{found} == {literal(own)}"),
        f"{place}: {label} of another place in the cluster of {own}; it is {own} here",
    )


def _class_of_namespace(namespace: str, facts: SiteFacts) -> Validation:
    own = value("variables.labels", DATA_CLASS_LABEL)
    least = f"{literal(dict(facts.namespaces))}[?{namespace}].orValue(-1)"
    return Validation(
        "RES-009",
        either(f"{own} == ''", f"{strictness_of(own, facts)} >= {least}"),
        "metadata.labels: a class that is kept less strictly than that of its namespace",
    )


def _restricted() -> Validation:
    return Validation(
        "SEC-001", f"{value('variables.labels', ENFORCE)} == 'restricted'", f"a namespace needs {ENFORCE}: restricted"
    )
