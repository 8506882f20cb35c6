"""Storage classes, volumes and claims: RES-005, RES-009."""

from __future__ import annotations

from policies.admission.labels import NOT_LEAVING, OWN_LABELS, strictness_of, value
from policies.admission.language import AdmissionPolicy, Resources, Validation, either, literal
from policies.admission.site_facts import SiteFacts
from policies.residency.res_005_storage_pinned_to_site import PROVISIONER
from shopsphere.estate.placement import DATA_CLASS_LABEL, SITE_LABEL


def policies(facts: SiteFacts) -> list[AdmissionPolicy]:
    """Return the policies about storage of one site."""
    return [_storage_classes(facts), _volumes(facts), _claims(facts)]


def _storage_classes(facts: SiteFacts) -> AdmissionPolicy:
    return AdmissionPolicy(
        "storage-classes",
        (Resources("storage.k8s.io", ("storageclasses",)),),
        (
            Validation(
                "RES-005",
                f"object.metadata.name == {literal(facts.storage_class)}",
                f"the one storage class of {facts.site} is {facts.storage_class}",
            ),
            Validation("RES-005", f"object.provisioner == {literal(PROVISIONER)}", f"provisioner: {PROVISIONER}"),
            Validation(
                "RES-005",
                "!has(object.parameters) || size(object.parameters) == 0",
                "parameters tell a driver where to keep its volumes; none are allowed",
            ),
            Validation(
                "RES-005",
                _pinned("object.?allowedTopologies.orValue([])", "matchLabelExpressions", "true", facts),
                f"allowedTopologies: every term with {SITE_LABEL} in [{facts.site}]",
            ),
        ),
    )


def _volumes(facts: SiteFacts) -> AdmissionPolicy:
    terms = "object.spec.?nodeAffinity.?required.?nodeSelectorTerms.orValue([])"
    was = value("oldObject.metadata.?labels.orValue({})", DATA_CLASS_LABEL)
    return AdmissionPolicy(
        "volumes",
        (Resources("", ("persistentvolumes",)),),
        (
            _of_the_site(facts),
            Validation(
                "RES-005",
                _pinned(terms, "matchExpressions", "e.operator == 'In'", facts),
                f"spec.nodeAffinity: every term with {SITE_LABEL} In [{facts.site}]",
            ),
            Validation("RES-005", "has(object.spec.local)", "spec: a source that reaches anywhere; allowed: local"),
            Validation(
                "RES-009",
                either(
                    "request.operation != 'UPDATE'",
                    "!has(object.spec.claimRef)",
                    f"{strictness_of(value(OWN_LABELS, DATA_CLASS_LABEL), facts)} >= {strictness_of(was, facts)}",
                ),
                "metadata.labels: a volume in use gets a class that is kept less strictly",
            ),
        ),
        conditions=NOT_LEAVING,
    )


def _claims(facts: SiteFacts) -> AdmissionPolicy:
    own = value(OWN_LABELS, DATA_CLASS_LABEL)
    wanted = f"object.spec.?selector.?matchLabels.orValue({{}})[?{literal(DATA_CLASS_LABEL)}]"
    return AdmissionPolicy(
        "claims",
        (Resources("", ("persistentvolumeclaims",)),),
        (
            _of_the_site(facts),
            Validation(
                "RES-009",
                f"{wanted}.orValue({own}) == {own}",
                "spec.selector.matchLabels: volumes of another class than the claim's",
            ),
        ),
        conditions=NOT_LEAVING,
    )


def _of_the_site(facts: SiteFacts) -> Validation:
    return Validation(
        "RES-005",
        f"object.spec.?storageClassName.orValue('') == {literal(facts.storage_class)}",
        f"spec.storageClassName: it is {facts.storage_class} at {facts.site}",
    )


def _pinned(terms: str, expressions: str, operator: str, facts: SiteFacts) -> str:
    """Every one of the alternatives requires the site; no alternative at all requires nothing."""
    requires = f"e.key == {literal(SITE_LABEL)} && {operator} && e.?values.orValue([]) == {literal([facts.site])}"
    return f"{terms}.size() > 0 && {terms}.all(t, t.?{expressions}.orValue([]).exists(e, {requires}))"
