"""Flows that the settings of programs declare: exports, log shipping, and credentials of other sites."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.fleet.estate import Estate
from policies.fleet.flow import Flow, Kind, Store
from policies.fleet.hosts import Contact, contacts_in, texts_in
from policies.fleet.stores import namespace_of
from policies.kinds import is_core, is_workload
from policies.reading import Node, mapping, nodes, text
from policies.residency.kubeconfig import KubeconfigError, way
from policies.residency.res_008_provider_leads_to_site import PROVIDER
from policies.residency.res_009_class_not_lowered import SETTINGS, what_is_read
from policies.resource import Resource
from shopsphere.estate.workloads import SHOP

LOGS = re.compile(r"log(?!in)|loki|fluent|vector|promtail|otel|sentry|trace|telemetry|elastic|splunk", re.IGNORECASE)
CUSTOMERS_ADDRESSES = frozenset({"SHOP_PUBLIC_URL", "SHOP_STATIC_URL"})
"""Settings of the shop that are written into pages: browsers go there, and no program of the site."""
PROVIDER_SETTING, PROVIDERS_CLASS = "PSP_URL", "payment"
PAYMENT_PROVIDER = "the payment provider"
IMAGE = re.compile(r"(^|\.)image$")
KUBECONFIG = re.compile(r"^\s*\"?clusters\"?\s*:", re.MULTILINE)


def flows(estate: Estate, resource: Resource, site: str) -> Iterator[Flow]:
    """Yield each flow that a workload, its settings or the stack's provider declares."""
    if resource.token == PROVIDER:
        yield from _provider(estate, resource, site)
    if is_workload(resource):
        parts = what_is_read(resource)
        own = estate.own(resource, site)
        for database in estate.read_by(parts, site):
            yield from (Flow(database, each, Kind.READ, resource, "spec") for each in own if each != database)
        yield from _written(estate, resource, site, parts)
        for volume in nodes(parts, "volumes"):
            yield from _share(estate, resource, site, mapping(volume, "nfs"), f"volumes[{text(volume, 'name')}].nfs")
    if is_core(resource, *SETTINGS):
        yield from _written(estate, resource, site, what_is_read(resource))
    if is_core(resource, "PersistentVolume"):
        spec = mapping(resource.props, "spec")
        yield from _share(estate, resource, site, mapping(spec, "nfs"), "spec.nfs")
        if driver := text(spec, "csi", "driver"):
            for each in estate.own(resource, site):
                yield Flow(each, estate.outside(f"volumes of {driver}"), Kind.VOLUME, resource, "spec.csi")


def _written(estate: Estate, resource: Resource, site: str, parts: Node) -> Iterator[Flow]:
    """Yield where the texts of a document lead."""
    for path, written in texts_in(parts):
        if IMAGE.search(path):
            continue
        if KUBECONFIG.search(written):
            yield from _kubeconfig(estate, resource, site, path, written)
            continue
        for contact in contacts_in(written):
            yield from _contact(estate, resource, site, path, contact)


def _contact(estate: Estate, resource: Resource, site: str, path: str, contact: Contact) -> Iterator[Flow]:
    setting = re.findall(r"[\w-]+", path.removesuffix(".value"))[-1:]
    if CUSTOMERS_ADDRESSES & set(setting) and namespace_of(resource) == SHOP.namespace.name:
        return
    for own in estate.own(resource, site):
        for target in estate.reached(contact.host, contact.port, site, namespace_of(resource)):
            if target == own or target == estate.place(site):
                continue
            if setting == [PROVIDER_SETTING] and own.classes == {PROVIDERS_CLASS} and not target.site:
                yield Flow(own, payment_provider(estate), Kind.EXPORT, resource, path)
            elif target.site == site:
                yield Flow(target, own, Kind.READ, resource, path)
            else:
                yield from _abroad(estate, resource, path, contact, own, target)


def payment_provider(estate: Estate) -> Store:
    """Return the one outsider that payments are sent to on purpose."""
    return estate.outside(PAYMENT_PROVIDER, frozenset({PROVIDERS_CLASS}))


def _abroad(
    estate: Estate, resource: Resource, path: str, contact: Contact, own: Store, target: Store
) -> Iterator[Flow]:
    kind = Kind.LOGS if LOGS.search(f"{resource.name} {path} {contact.scheme}") else Kind.EXPORT
    yield Flow(own, target, kind, resource, path)
    if contact.is_database or target.is_database:  # whoever may log in may read
        for read in [target] if target.is_database else estate.databases(target.site):
            yield Flow(read, own, Kind.CREDENTIAL, resource, path)


def _kubeconfig(estate: Estate, resource: Resource, site: str, path: str, written: str) -> Iterator[Flow]:
    """Yield what a program reads in the cluster that it holds a kubeconfig of."""
    try:
        host = way(written, "").host
    except KubeconfigError:
        hosts = [contact.host for contact in contacts_in(written)]
        host = hosts[0] if hosts else ""
    for cluster in {each.site for each in estate.reached(host, 0, site)} - {site, ""}:
        for source in estate.databases(cluster) or estate.inside(cluster):
            for own in estate.own(resource, site):
                yield Flow(source, own, Kind.CREDENTIAL, resource, path)


def _provider(estate: Estate, resource: Resource, site: str) -> Iterator[Flow]:
    """Yield where a stack is really deployed to, when its provider leads to another cluster."""
    try:
        found = way(text(resource.props, "kubeconfig"), text(resource.props, "context"))
    except KubeconfigError:
        return  # RES-008 says so
    for target in estate.reached(found.host, 0, site):
        if target.site != site:
            for own in estate.databases(site) or estate.inside(site):
                yield Flow(own, target, Kind.CREDENTIAL, resource, "kubeconfig")


def _share(estate: Estate, resource: Resource, site: str, share: Node, place: str) -> Iterator[Flow]:
    server = text(share, "server").lower()
    if not server:
        return
    for own in estate.own(resource, site):
        for target in estate.reached(server, 0, site):
            if target != own and target.site != site:
                yield Flow(own, target, Kind.VOLUME, resource, place)
