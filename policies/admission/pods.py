"""Pods and the templates that make them: RES-003, RES-005, RES-007, SEC-002."""

from __future__ import annotations

from policies.admission.labels import NOT_LEAVING, placed, strictness_of, value
from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal, told
from policies.admission.site_facts import SiteFacts
from policies.listing.table import WHY_NO_FIELD
from policies.residency.res_005_storage_pinned_to_site import POD_SOURCES
from policies.security.sec_002_images_of_own_registry import IMAGE, ON_THE_NODE, PUBLIC
from shopsphere.estate.placement import DATA_CLASS_LABEL, SITE_LABEL
from shopsphere.estate.stack import Environment

TEMPLATE = "object.spec.template"
CONTAINERS = ("containers", "initContainers")


def policies(facts: SiteFacts) -> list[AdmissionPolicy]:
    """Return the policies about pods of one site."""
    template_labels = f"{TEMPLATE}.metadata.?labels.orValue({{}})"
    lower = Validation(
        "RES-009",
        f"{strictness_of(value('variables.labels', DATA_CLASS_LABEL), facts)} >= "
        f"{strictness_of(value('object.metadata.?labels.orValue({})', DATA_CLASS_LABEL), facts)}",
        "spec.template.metadata.labels: a class that is kept less strictly than the workload's own",
    )
    return [
        AdmissionPolicy(
            "workloads",
            (Resources("apps", ("deployments",)),),
            (
                *placed("variables.labels", facts, "spec.template.metadata.labels"),
                lower,
                *_template_only(f"{TEMPLATE}.spec"),
                *judged(f"{TEMPLATE}.spec", facts),
            ),
            {"labels": template_labels, "images": _images(f"{TEMPLATE}.spec")},
            NOT_LEAVING,
        ),
        AdmissionPolicy(
            "pods",
            (Resources("", ("pods",)),),
            judged("object.spec", facts),
            {"images": _images("object.spec")},
            NOT_LEAVING,
        ),
    ]


def judged(spec: str, facts: SiteFacts) -> tuple[Validation, ...]:
    """Return what has to be true of every pod, of a template or not; `variables.images` are its images."""
    return (
        *(_no_field(name, f"!{spec}.?{name}.orValue(false)") for name in ("hostNetwork", "hostPID", "hostIPC")),
        *(
            _no_field(name, f"!has({spec}.{name}) || size({spec}.{name}) == 0")
            for name in ("hostAliases", "imagePullSecrets")
        ),
        *(_no_field(name, f"!has({spec}.{name})") for name in ("dnsConfig", "runtimeClassName")),
        _no_field("dnsPolicy", f"{spec}.?dnsPolicy.orValue('ClusterFirst') == 'ClusterFirst'"),
        _no_field("schedulerName", f"{spec}.?schedulerName.orValue('default-scheduler') == 'default-scheduler'"),
        *_containers(spec),
        Validation(
            "RES-005",
            f"{spec}.?volumes.orValue([]).all(v, "
            + either(*(f"has(v.{source})" for source in sorted(POD_SOURCES)))
            + ")",
            f"a volume from elsewhere; allowed: {told(POD_SOURCES)}",
        ),
        Validation(
            "RES-005",
            f"{spec}.?volumes.orValue([]).all(v, !has(v.ephemeral) || "
            f"v.ephemeral.volumeClaimTemplate.spec.?storageClassName.orValue('') == {literal(facts.storage_class)})",
            f"an ephemeral volume of another storage class than {facts.storage_class}",
        ),
        Validation(
            "RES-003",
            f"{spec}.?nodeSelector.orValue({{}})[?{literal(SITE_LABEL)}].orValue({literal(facts.site)}) == "
            f"{literal(facts.site)}",
            f"nodeSelector: nodes of another site; {SITE_LABEL} is {facts.site} here",
        ),
        *images(facts),
    )


def images(facts: SiteFacts) -> tuple[Validation, ...]:
    """Return what has to be true of each of `variables.images`."""
    registry, rest = "i.split('/')[0]", "i.substring(i.indexOf('/') + 1)"
    host = f"{registry}.split(':')[0]"
    named = [f"{host}.contains('.')", f"{registry}.contains(':')", f"{host} == {literal(ON_THE_NODE)}"]
    versioned = every(f"{rest}.matches('^[^:@]+:')", f"!{rest}.matches('^[^:@]+:latest$')")
    found = [
        ("without a registry", every(f"i.matches({literal(IMAGE.pattern)})", either(*named))),
        ("of a public registry", f"!{host}.matches({literal(PUBLIC.pattern)})"),
        ("of another jurisdiction", f"!{host}.matches({literal(facts.destinations.hosts_elsewhere)})"),
        ("whatever was pushed last: no version and no digest", either("i.contains('@sha256:')", versioned)),
    ]
    if facts.environment == Environment.PROD:
        found.append(("which is nowhere to be pulled", f"{host} != {literal(ON_THE_NODE)}"))
    return tuple(
        Validation(
            "SEC-002",
            f"variables.images.all(i, {expression})",
            f"an image {what}; allowed: a registry of the site's jurisdiction, and one version",
        )
        for what, expression in found
    )


def _images(spec: str) -> str:
    parts = [f"{spec}.?{key}.orValue([]).map(c, c.?image.orValue(''))" for key in CONTAINERS]
    return " + ".join(parts)


def _template_only(spec: str) -> tuple[Validation, ...]:
    """What a pod has once it is placed, or what an operator's pod needs, and a template has not."""
    return (
        *(_no_field(name, f"{spec}.?{name}.orValue('') == ''") for name in ("nodeName",)),
        _no_field("serviceAccountName", f"{spec}.?serviceAccountName.orValue('') in ['', 'default']"),
        _no_field("tolerations", f"!has({spec}.tolerations) || size({spec}.tolerations) == 0"),
        Validation(
            "RES-007",
            f"!{spec}.?automountServiceAccountToken.orValue(false)",
            "automountServiceAccountToken: a token at the API server can make what is refused here",
        ),
    )


def _containers(spec: str) -> tuple[Validation, ...]:
    context = "c.?securityContext"
    checks = (
        ("privileged", f"!{context}.?privileged.orValue(false)"),
        ("allowPrivilegeEscalation", f"!{context}.?allowPrivilegeEscalation.orValue(false)"),
        ("add", f"{context}.?capabilities.?add.orValue([]).size() == 0"),
        ("procMount", f"{context}.?procMount.orValue('Default') == 'Default'"),
        ("hostPort", "c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0)"),
        ("envFrom", "c.?envFrom.orValue([]).size() == 0"),
    )
    return tuple(
        _no_field(name, every(*(f"{spec}.?{key}.orValue([]).all(c, {check})" for key in CONTAINERS)))
        for name, check in checks
    )


def _no_field(name: str, expression: str) -> Validation:
    why = WHY_NO_FIELD.get(name, "a pod that becomes root may leave its network")
    return Validation("RES-007", expression, f"{name} is not listed: {why}")
