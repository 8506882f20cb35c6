"""A site's nodes: ready, labelled with site and rack, and offering power."""

from __future__ import annotations

from collections.abc import Iterable

from shopsphere.clients.cluster import Document
from shopsphere.doctor.site_api import SiteApi, labels_of
from shopsphere.estate.placement import RACK_LABEL, SITE_LABEL, WATTS_RESOURCE
from shopsphere.foundation.finding import Finding, fails, passes
from shopsphere.status.quantities import RACK_PREFIX, allocatable_watts, ready_nodes


def nodes(api: SiteApi) -> Finding:
    """Look at all nodes."""
    return judge_nodes(api.stack.label, api.documents("/api/v1/nodes"))


def judge_nodes(site: str, documents: Iterable[Document]) -> Finding:
    """Judge the nodes of a site: workloads are put on nodes of the site and its racks, and charged in watts."""
    found = list(documents)
    if not found:
        return fails("the cluster has no nodes", "add nodes")
    problems = [problem for each in found if (problem := _problem(site, each))]
    ready = ready_nodes(found)
    if ready.ready < ready.total:
        problems.append(f"{ready.total - ready.ready} of {ready.total} are not ready")
    if problems:
        return fails("; ".join(problems), f"label them with {SITE_LABEL} and {RACK_LABEL}; give them {WATTS_RESOURCE}")
    return passes(f"{ready.total} ready, labelled, {allocatable_watts(found)} W to give")


def _problem(site: str, node: Document) -> str:
    labels = labels_of(node)
    missing = []
    if labels.get(SITE_LABEL) != site:
        missing.append(f"{SITE_LABEL} is {labels.get(SITE_LABEL, 'missing')}")
    if RACK_LABEL not in labels and not any(each.startswith(RACK_PREFIX) for each in labels):
        missing.append(f"{RACK_LABEL} is missing")
    if not allocatable_watts([node]):
        missing.append(f"{WATTS_RESOURCE} is missing")
    return f"{node['metadata']['name']}: {', '.join(missing)}" if missing else ""
