"""What is not understood is not deployed: resource types and their fields are listed, with a reason each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.kinds import is_database, pod_spec
from policies.listing import migrations
from policies.listing.edge import COMPONENTS
from policies.listing.shape import Named, Stranger, strangers
from policies.listing.table import LISTED, WHY_NO_FIELD, WHY_NO_TYPE
from policies.reading import mapping, nodes, text, texts
from policies.residency.data_read import EVENT_NAMESPACES
from policies.residency_map import topology_of
from policies.resource import Resource
from policies.rule import ResourceRule
from policies.unknown import known
from policies.verdict import violation
from shopsphere.estate.cluster_rights import BINDINGS, NAMESPACES
from shopsphere.estate.event_log import EVENT_LOG
from shopsphere.estate.placement import LOST_NODE_TAINTS
from shopsphere.estate.region_facts import region_facts
from shopsphere.foundation.finding import Finding, Severity

HOW = (
    "leave it out; or add it to policies/listing, with a reason that says why data stays where it is, in a change that "
    "the owner of residency reviews"
)


def applies(resource: Resource) -> bool:
    """Return whether it is more than the stack or a component of this repository, which hold nothing themselves."""
    return resource.token not in COMPONENTS


def check(resource: Resource) -> Iterator[Finding]:
    """Find a type that is not listed, and fields and values of a listed one that are not."""
    token = resource.token.replace("Patch", "") if resource.is_kubernetes else resource.token  # RES-006 refuses patches
    listed = LISTED.get(token)
    if listed is None:
        why = _why(resource)
        yield violation(f"type {resource.token}{why}", "the types of policies/listing/table.py")
        return
    if isinstance(listed.fields, Named):
        return
    for stranger in strangers(resource.props, listed.fields):
        yield _unlisted(stranger)
    if resource.kind == "Job":
        yield from _other_work(resource)
    if resource.kind == "Deployment":
        yield from _beside_a_database(resource)
    if resource.kind == "StatefulSet":
        yield from _other_state(resource)
    if resource.kind == "RoleBinding":
        yield from _of_no_table(resource)
    if is_database(resource):
        yield from _tolerates_anything(resource)


def _why(resource: Resource) -> str:
    family = resource.group or resource.token.partition(":")[0]
    why = WHY_NO_TYPE.get(family, "")
    return f": {why}" if why else ", which nobody has listed"


def _other_work(job: Resource) -> Iterator[Finding]:
    """Find what a Job is or runs that is no migration; a list of fields cannot say that one has to be there."""
    is_migration = True
    for at, container in enumerate(nodes(pod_spec(job), "containers")):
        words = tuple(texts(container, "command"))
        if words not in migrations.MIGRATIONS:
            is_migration = False
            found = f"spec.template.spec.containers[{at}].command: {' '.join(words) or 'what the image says'}"
            allowed = " or ".join(" ".join(each) for each in migrations.MIGRATIONS)
            yield violation(f"{found}; {WHY_NO_TYPE['batch']}", allowed)
    if is_migration:
        yield from _other_than_declared(job)


def _other_than_declared(job: Resource) -> Iterator[Finding]:
    name = text(job.props, "metadata", "name")
    database = migrations.BY_NAME.get(name)
    if database is None:
        yield violation(f"metadata.name: {name or 'missing'}, a job of no database", " or ".join(migrations.BY_NAME))
        return
    container = {
        **migrations.container_of(database),
        "env": migrations.settings_of(database, job.site, job.environment, _region_of(job)),
    }
    wanted = {
        "metadata": {"namespace": database.namespace.name},
        "spec": {
            **migrations.job_of(name),
            "template": {
                **migrations.job_of(name)["template"],
                "spec": {**migrations.pod_of(name, job.site), "containers": [container]},
            },
        },
    }
    for part, declared in wanted.items():
        for place, found, allowed in migrations.differences(mapping(job.props, part), declared, part):
            yield violation(f"{place}: {found}, in a pod that has the owner's password", str(allowed))


def _region_of(job: Resource) -> str:
    model = topology_of(job)
    pair = model.pair_of(job.site) if job.site in model.sites else None
    return region_facts(model, pair.name) if pair else ""


def _beside_a_database(resource: Resource) -> Iterator[Finding]:
    """Find what runs in a database's namespace; a namespace that is yet to be made has no known name before."""
    namespace = known(partial(text, resource.props, "metadata", "namespace"))
    if namespace in migrations.DATABASE_NAMESPACES:
        yield violation(f"metadata.namespace: {namespace}; {migrations.WHY_NOT_BESIDE}", "the workload's own namespace")


def _other_state(resource: Resource) -> Iterator[Finding]:
    """Find a StatefulSet that is not the event log: its claims would hold what no rule knows the way of."""
    name, namespace = (
        text(resource.props, "metadata", "name"),
        known(partial(text, resource.props, "metadata", "namespace")),
    )
    if name != EVENT_LOG or namespace not in {EVENT_LOG, None}:
        found = f"StatefulSet {name or 'without a name'} in namespace {namespace}: it holds what no rule knows"
        yield violation(found, f"{EVENT_LOG} in namespace {EVENT_LOG}, the event log")


def _tolerates_anything(database: Resource) -> Iterator[Finding]:
    """Find a toleration of every taint; a list of fields cannot say that the key has to be there."""
    for at, each in enumerate(nodes(mapping(database.props, "spec", "affinity"), "tolerations")):
        if known(partial(text, each, "key")) == "":
            found = f"spec.affinity.tolerations[{at}]: without a key, so that it runs on nodes that were set apart"
            yield violation(found, " or ".join(LOST_NODE_TAINTS))


def _of_no_table(binding: Resource) -> Iterator[Finding]:
    """Find what lets somebody in who is not to be there, or nobody where somebody has to ask."""
    subjects = nodes(binding.props, "subjects")
    if len(subjects) != 1:
        allowed = "the one group that the role is for"
        yield violation(f"subjects: {len(subjects)}, so that nobody can ask there, or one more", allowed)
        return
    name, role = text(binding.props, "metadata", "name"), text(binding.props, "roleRef", "name")
    group, namespace = text(subjects[0], "name"), known(partial(text, binding.props, "metadata", "namespace"))
    own = [each for each in BINDINGS if (each.name, each.role, each.group) == (name, role, group)]
    if not own:
        allowed = ", ".join(sorted({f"{each.name}: {each.role} for {each.group}" for each in BINDINGS}))
        yield violation(f"metadata.name: {name or 'missing'}, with {role} for {group}", allowed)
        return
    where = own[0].namespaces or tuple(each for each in (*NAMESPACES, *EVENT_NAMESPACES) if each not in own[0].but)
    if namespace is not None and namespace not in where:
        yield violation(f"metadata.namespace: {namespace or 'missing'}; {role} is not for there", " or ".join(where))


def _unlisted(stranger: Stranger) -> Finding:
    if stranger.value is not None:
        return violation(f"{stranger.path}: {stranger.value}", " or ".join(stranger.allowed))
    why = WHY_NO_FIELD.get(stranger.field, "")
    found = f"{stranger.path}: {why}" if why else f"{stranger.path}, which nobody has listed"
    return violation(found, ", ".join(stranger.allowed) or "nothing here")


RULE = ResourceRule(
    id="RES-007",
    name="listed-types-and-fields",
    reason="A rule approves what it does not know; what nobody has understood can be a way out.",
    severity=Severity.CRITICAL,
    remediation=HOW,
    applies=applies,
    check=check,
)
