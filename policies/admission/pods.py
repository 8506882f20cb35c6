"""Pods and the templates that make them: RES-003, RES-005, RES-007, SEC-002."""

from __future__ import annotations

from dataclasses import replace

from policies.admission import migrations
from policies.admission.declared_images import is_declared
from policies.admission.kinds import BY_CONTROLLERS
from policies.admission.labels import NOT_LEAVING, placed, strictness_of, value
from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal, told
from policies.admission.site_facts import SiteFacts
from policies.listing.migrations import BY_NAME, DATABASE_NAMESPACES, WHY_NOT_BESIDE, workload_of
from policies.listing.table import WHY_NO_FIELD
from policies.residency.res_005_storage_pinned_to_site import POD_SOURCES
from policies.security.sec_002_images_of_own_registry import IMAGE, ON_THE_NODE, PUBLIC
from shopsphere.estate.event_log import EVENT_LOG
from shopsphere.estate.placement import DATA_CLASS_LABEL, SITE_LABEL
from shopsphere.estate.site_declaration import DATABASE_IMAGE
from shopsphere.estate.stack import Environment
from shopsphere.estate.workloads import WORKLOADS

TEMPLATE = "object.spec.template"
CONTAINERS = ("containers", "initContainers")
IMAGES_OF_MIGRATIONS = tuple(sorted({workload_of(each).image for each in BY_NAME.values()}))


def policies(facts: SiteFacts) -> list[AdmissionPolicy]:
    """Return the policies about pods of one site."""
    of_workloads = {*(each.image for each in WORKLOADS), EVENT_LOG} & set(facts.images)
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
            (Resources("apps", ("deployments", "statefulsets") if facts.event_log else ("deployments",)),),
            (
                *placed("variables.labels", facts, "spec.template.metadata.labels"),
                lower,
                Validation(
                    "RES-007",
                    f"!(request.?namespace.orValue('') in {literal(DATABASE_NAMESPACES)})",
                    f"metadata.namespace: {WHY_NOT_BESIDE}",
                ),
                *(_only_event_log() if facts.event_log else ()),
                *_template_only(f"{TEMPLATE}.spec"),
                *judged(f"{TEMPLATE}.spec", facts),
                is_declared("variables.images", {facts.images[name] for name in of_workloads}),
            ),
            {"labels": template_labels, "images": _images(f"{TEMPLATE}.spec")},
            NOT_LEAVING,
        ),
        AdmissionPolicy(
            "migrations",
            (Resources("batch", ("jobs",)),),
            (
                *migrations.validations(facts),
                *placed("variables.labels", facts, "spec.template.metadata.labels"),
                lower,
                *_template_only(f"{TEMPLATE}.spec"),
                *judged(f"{TEMPLATE}.spec", facts),
            ),
            {"labels": template_labels, "images": _images(f"{TEMPLATE}.spec"), **migrations.variables(facts)},
            {**NOT_LEAVING, "not-of-the-operator": f"!({BY_CONTROLLERS})"},
        ),
        AdmissionPolicy(
            "pods",
            (Resources("", ("pods",)),),
            (*judged("object.spec", facts), _same_images(), _beside_secrets(facts)),
            {"images": _images("object.spec")},
            NOT_LEAVING,
        ),
    ]


def _only_event_log() -> tuple[Validation, ...]:
    """Return what has to be true of a StatefulSet: RES-007 of the pack says the same."""
    name, namespace = "object.metadata.?name.orValue('')", "request.?namespace.orValue('')"
    is_it = every(f"{namespace} == {literal(EVENT_LOG)}", f"{name} == {literal(EVENT_LOG)}")
    return (
        Validation(
            "RES-007",
            either("request.resource.resource != 'statefulsets'", is_it),
            f"a StatefulSet that holds what no rule knows; allowed: {EVENT_LOG} in namespace {EVENT_LOG}",
        ),
    )


def _beside_secrets(facts: SiteFacts) -> Validation:
    """What runs beside a database is an instance or a migration; the operator's own first program is the operator's."""
    declared = {facts.images[name] for name in (DATABASE_IMAGE, *IMAGES_OF_MIGRATIONS) if name in facts.images}
    found = "object.spec.?containers.orValue([]).map(c, c.?image.orValue(''))"
    elsewhere = f"!(request.?namespace.orValue('') in {literal(DATABASE_NAMESPACES)})"
    checked = is_declared(found, declared)
    # The rest of a pod from before is nobody's question: its image cannot change.
    return replace(checked, expression=either("request.operation == 'UPDATE'", elsewhere, checked.expression))


def _same_images() -> Validation:
    """A pod goes on with its secrets when its image is changed; controllers replace the pod."""
    same = (
        f"object.spec.?{key}.orValue([]).map(c, c.?image.orValue('')) == "
        f"oldObject.spec.?{key}.orValue([]).map(c, c.?image.orValue(''))"
        for key in CONTAINERS
    )
    return Validation(
        "RES-007",
        either("request.operation != 'UPDATE'", BY_CONTROLLERS, every(*same)),
        "an image that is changed in a running pod: another program would have the pod's secrets",
    )


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
        found.append(("by a tag that can be pushed again: without a digest", "i.contains('@sha256:')"))
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
