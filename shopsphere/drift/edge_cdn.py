"""The CDN against what is declared: its distributions, others' that show the shop, and what its caches were told."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from shopsphere.clients.cdn_agent import CACHE, Cdn, Document
from shopsphere.drift.edge_declared import DeclaredEdge
from shopsphere.drift.edge_finding import edge_drift
from shopsphere.drift.edge_request import request_by_hand
from shopsphere.drift.model import Drift, Kind
from shopsphere.drift.values import difference_shown
from shopsphere.foundation.finding import Severity
from shopsphere.foundation.whole_numbers import whole

_WAYS_OUT = frozenset({"dataClass", "hostNames", "origins", "paths"})
"""Fields that decide what a CDN can carry, and from where."""
_CONFIGURATION = "configuration"
"""How a CDN calls the whole of what its cache serves by."""


def judge_distributions(edge: DeclaredEdge, cdns: Mapping[str, Cdn], deploy: str) -> Iterator[Drift]:
    """Yield all findings of the CDN.

    Args:
        edge: what is declared.
        cdns: the CDN of each declared distribution by the distribution's name.
        deploy: the command that writes what is declared.

    Raises:
        EdgeError: a CDN does not answer, or refuses.
    """
    for name, cdn in cdns.items():
        yield from _declared(name, edge.distributions[name], cdn.get(name), deploy)
    for name in edge.one_of_each_cdn:
        cdn, access = cdns[name], edge.cdns[name]
        for other in cdn.names():
            if other not in edge.distributions and (found := cdn.get(other)) is not None:
                yield from _added(edge, access, other, found)
        for difference in cdn.told_otherwise():
            yield _told_otherwise(access, difference)


def _declared(name: str, wanted: Document, found: Document | None, deploy: str) -> Iterator[Drift]:
    if found is None:
        yield edge_drift(f"distribution {name}", Kind.MISSING, Severity.HIGH, declared="a distribution", repair=deploy)
        return
    for key in sorted({*wanted, *found}):
        if whole(wanted.get(key)) == found.get(key):
            continue
        residency = key in _WAYS_OUT
        declared, live = difference_shown(_text(whole(wanted.get(key))), _text(found.get(key)))
        yield edge_drift(
            f"distribution {name}",
            Kind.CHANGED if key in wanted else Kind.ADDED,
            Severity.CRITICAL if residency else Severity.MEDIUM,
            key,
            declared,
            live,
            residency=residency,
            repair=deploy,
        )


def _added(edge: DeclaredEdge, access: Mapping[str, Any], name: str, found: Document) -> Iterator[Drift]:
    """Yield a distribution that serves names of ours or asks our sites; a CDN's other customers are not looked at."""
    domains = [zone.rstrip(".") for zone in edge.zones]
    origins = {str(each["address"]) for one in edge.distributions.values() for each in one.get("origins", ())}
    hosts = [str(host) for host in found.get("hostNames", ())]
    ours = [host for host in hosts if any(host == domain or host.endswith(f".{domain}") for domain in domains)]
    asked = [str(each.get("address")) for each in found.get("origins", ()) if str(each.get("address")) in origins]
    if not ours and not asked:
        return
    yield edge_drift(
        f"distribution {name}",
        Kind.UNDECLARED,
        Severity.CRITICAL,
        live=difference_shown("", f"for {', '.join(hosts)} from {', '.join(asked) or 'elsewhere'}")[1],
        residency=True,
        repair=_request(access, "DELETE", f"/v1/distributions/{name}"),
    )


def _told_otherwise(access: Mapping[str, Any], difference: Document) -> Drift:
    """Return what a cache was told; another configuration may send anything anywhere."""
    name = str(difference["name"])
    residency = name == _CONFIGURATION
    return edge_drift(
        "the CDN's cache",
        Kind.CHANGED,
        Severity.CRITICAL if residency else Severity.HIGH,
        name,
        str(difference["declared"]),
        str(difference["live"]),
        residency=residency,
        repair=_request(access, "POST", CACHE),
    )


def _request(access: Mapping[str, Any], method: str, path: str) -> str:
    return request_by_hand(access, method, str(access["endpoint"]).rstrip("/") + path)


def _text(value: Any) -> str:
    return "" if value is None else json.dumps(value, sort_keys=True)
