"""Where resources name storage: storage classes, node terms and volume sources."""

from __future__ import annotations

from collections.abc import Iterator

from policies.kinds import is_database, is_workload, pod_spec
from policies.reading import Node, items, mapping, nodes, text
from policies.resource import Resource


def pinned_class(site: str) -> str:
    """Return the name of the one storage class of a site."""
    return f"{site}-pinned"


def storage_classes(resource: Resource) -> Iterator[tuple[str, str]]:
    """Yield each storage class that a resource asks for, by its path; empty where it leaves the choice open."""
    props = resource.props
    if resource.kind in {"PersistentVolume", "PersistentVolumeClaim"}:
        yield "spec.storageClassName", text(props, "spec", "storageClassName")
    if resource.kind == "StatefulSet":
        for at, claim in enumerate(nodes(props, "spec", "volumeClaimTemplates")):
            yield f"spec.volumeClaimTemplates[{at}].spec.storageClassName", text(claim, "spec", "storageClassName")
    if is_database(resource):
        yield from _database_classes(props)
    if is_workload(resource):
        for volume in nodes(pod_spec(resource), "volumes"):
            if "ephemeral" in volume:
                claim = mapping(volume, "ephemeral", "volumeClaimTemplate", "spec")
                yield f"volume {text(volume, 'name')!r}: ephemeral storageClassName", text(claim, "storageClassName")


def _database_classes(props: Node) -> Iterator[tuple[str, str]]:
    places = [("spec.storage", mapping(props, "spec", "storage"))]
    if mapping(props, "spec", "walStorage"):
        places.append(("spec.walStorage", mapping(props, "spec", "walStorage")))
    for at, space in enumerate(nodes(props, "spec", "tablespaces")):
        places.append((f"spec.tablespaces[{at}].storage", mapping(space, "storage")))
    for path, storage in places:
        template = text(storage, "pvcTemplate", "storageClassName")
        yield f"{path}.storageClass", text(storage, "storageClass") or template
        if template:
            yield f"{path}.pvcTemplate.storageClassName", template


def terms_pinned_to(terms: list[Node], expressions: str, label: str, site: str) -> bool:
    """Say whether every one of the alternatives requires the site; no alternative at all requires nothing."""
    return bool(terms) and all(_requires(term, expressions, label, site) for term in terms)


def _requires(term: Node, expressions: str, label: str, site: str) -> bool:
    for expression in nodes(term, expressions):
        values = list(items(expression, "values"))
        # A storage class's terms know no operator: they always mean In.
        operator = text(expression, "operator") or "In"
        if text(expression, "key") == label and operator == "In" and values == [site]:
            return True
    return False
