"""All of a site: its declared objects against its live ones, as findings that somebody can act on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shopsphere.drift.comparing import Difference, differences
from shopsphere.drift.declared import Declared
from shopsphere.drift.known import MAKERS
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.operators_work import repair_of_touched
from shopsphere.drift.ownership import Ownership
from shopsphere.drift.place import text_of
from shopsphere.drift.repair import Repair
from shopsphere.drift.severity import severity_of, touches_residency
from shopsphere.drift.undeclared import Key, Live, is_undeclared, touches
from shopsphere.drift.values import shown
from shopsphere.drift.view import View

_MOST_FIELDS = 5
"""Fields of an object that a controller made, of which a finding names so many."""


def judge(declared: Sequence[Declared], lives: Sequence[Live], repair: Repair) -> list[Drift]:
    """Return all findings of a site.

    Args:
        declared: the cluster's objects that the site's stack declares.
        lives: the live objects of all kinds that are compared and could be listed; of a kind that could not, none is
            declared here either.
        repair: how the site is reached.
    """
    view = View(declared, lives)
    return [drift for key in view.keys for drift in judge_object(view, key, repair)]


def judge_object(view: View, key: Key, repair: Repair) -> list[Drift]:
    """Return the findings of one object; none where nothing can be known of it.

    Args:
        view: the site.
        key: of the object, which may be declared, live or both.
        repair: how the site is reached.
    """
    declared, live = view.declared.get(key), view.live(key)
    if key[0] in view.unlisted:
        return []
    if live is None:
        return [*_gone(view, key, repair)]
    if declared is not None:
        return [drift for _, drift in differing(declared, live, repair)]
    if view.has_unlisted_owner(live):
        return []
    if view.is_from_declared(live):
        return [*_touched(view, live, repair)]
    return [_undeclared(live, repair)] if is_undeclared(live, view.namespaces) else []


def object_name(kind: str, namespace: str, name: str) -> str:
    """Return how findings call an object, as in Deployment shop/shop."""
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _gone(view: View, key: Key, repair: Repair) -> Iterator[Drift]:
    """Yield the loss of an object: a declared one, or one that the database operator makes of a declared one."""
    if key in view.declared:
        if view.declared[key].may_be_missing:
            return
        is_owners = view.declared[key].is_owners
        yield _missing(key, repair, "an object", repair.apply_rights() if is_owners else repair.deploy())
    elif cluster := view.accounts.get(key):
        again = repair.look_again(cluster.namespace, cluster.name)
        yield _missing(key, repair, "an object, as the operator makes it", again)


def _missing(key: Key, repair: Repair, declared: str, command: str) -> Drift:
    residency = touches_residency(key[0], (), None)
    return Drift(
        site=repair.site,
        object=object_name(*key),
        field="",
        declared=declared,
        live="",
        kind=Kind.MISSING,
        severity=severity_of(key[0], (), Kind.MISSING, residency=residency),
        residency=residency,
        repair=command,
    )


def differing(declared: Declared, live: Live, repair: Repair) -> Iterator[tuple[Difference, Drift]]:
    """Yield each difference of an object with the finding that says so."""
    for each in differences(declared, live.document):
        residency = touches_residency(declared.kind, each.path, each.live)
        yield (
            each,
            Drift(
                site=repair.site,
                object=object_name(*live.key),
                field=text_of(each.path),
                declared=_declared_text(declared, each),
                live=shown(declared.kind, each.path, each.live),
                kind=each.kind,
                severity=severity_of(declared.kind, each.path, each.kind, residency=residency),
                residency=residency,
                author=each.author,
                is_likely=each.is_likely,
                repair=_repair_of(declared, each, repair),
            ),
        )


def _repair_of(declared: Declared, difference: Difference, repair: Repair) -> str:
    again = repair.apply_rights(in_namespaces=bool(declared.namespace))
    if declared.is_owners and not difference.path:
        return again
    if declared.is_owners and difference.path[0] == "roleRef":  # the API server lets nobody change it
        return f"{repair.delete(declared.kind, declared.namespace, declared.name)} && {again}"
    return repair.of(declared.kind, declared.namespace, declared.name, difference, is_owners=declared.is_owners)


def _declared_text(declared: Declared, difference: Difference) -> str:
    if difference.kind is Kind.UNOWNED:
        return f"applied by {declared.manager or 'the deployment'}"
    if difference.kind is Kind.MISSING:
        return "an object"
    return shown(declared.kind, difference.path, difference.declared)


def _undeclared(live: Live, repair: Repair) -> Drift:
    residency = touches_residency(live.kind, (), live.document)
    authors = Ownership(live.document).authors
    # Controllers write into what anybody made, a moment later.
    makers = [each for each in authors if each.subresource != "status" and each.manager not in MAKERS] or authors
    return Drift(
        site=repair.site,
        object=object_name(*live.key),
        field="",
        declared="",
        live=f"an object since {live.document['metadata'].get('creationTimestamp', 'an unknown time')}",
        kind=Kind.UNDECLARED,
        severity=severity_of(live.kind, (), Kind.UNDECLARED, residency=residency),
        residency=residency,
        author=makers[0] if makers else None,
        repair=repair.delete(*live.key),
    )


def _touched(view: View, live: Live, repair: Repair) -> Iterator[Drift]:
    owners = view.clusters_of(live)
    for touch in touches(live):
        residency = touches_residency(live.kind, (), live.document)
        yield Drift(
            site=repair.site,
            object=object_name(*live.key),
            field=touch.fields[0],
            declared="as its controller makes it",
            live=", ".join(touch.fields[:_MOST_FIELDS]),
            kind=Kind.TOUCHED,
            severity=severity_of(live.kind, (), Kind.TOUCHED, residency=residency),
            residency=residency,
            author=touch.author,
            repair=repair_of_touched(live, touch, owners, repair),
        )
