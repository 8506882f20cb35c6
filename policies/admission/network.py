"""Ways in and out: NET-001, NET-002, NET-003."""

from __future__ import annotations

from policies.admission.labels import NOT_LEAVING, OWN_LABELS, value
from policies.admission.language import AdmissionPolicy, Resources, Validation, either, every, literal
from policies.admission.site_facts import SiteFacts
from policies.network.destinations import (
    BACKED_UP,
    OWN_SERVICES,
    OWNERS_NETWORKS,
    PAYMENT_PROVIDER,
    TO_ARCHIVE,
    TO_EVENT_LOG,
    WIDEST_PREFIX,
)
from policies.network.net_002_network_inside_jurisdiction import PUBLIC
from policies.network.net_003_services_stay_inside import (
    OPEN,
    OPEN_CLASS,
    OUTSIDE_FIELDS,
    TYPES,
)
from policies.residency_map import known
from shopsphere.estate.event_log import EVENT_LOG
from shopsphere.estate.placement import DATA_CLASS_LABEL

NOT_THE_API_SERVER = {"not-the-api-server": "request.userInfo.username != 'system:apiserver'"}
"""The API server keeps its own service, `kubernetes` in `default`, whose address is the node's and not a pod's."""
CLOSING = "default-deny"


def policies(facts: SiteFacts) -> list[AdmissionPolicy]:
    """Return the policies about the network of one site."""
    return [_network_policies(facts), _services(), _slices(facts), _endpoints(facts)]


def _network_policies(facts: SiteFacts) -> AdmissionPolicy:
    ingress = either(
        every("!has(r.from) || size(r.from) == 0", f"variables.class == {literal(PUBLIC)}"), _peers("from")
    )
    return AdmissionPolicy(
        "network-policies",
        (Resources("networking.k8s.io", ("networkpolicies",)),),
        (
            Validation(
                "NET-001",
                either(f"object.metadata.name != {literal(CLOSING)}", _closes()),
                f"{CLOSING} selects all pods, has both policyTypes and opens nothing",
            ),
            Validation(
                "NET-002",
                f"object.spec.?egress.orValue([]).all(r, {_peers('to')})",
                f"spec.egress leads outside {facts.site}: {facts.destinations.described}",
            ),
            Validation(
                "NET-002",
                f"object.spec.?ingress.orValue([]).all(r, {ingress})",
                f"spec.ingress lets in more than {facts.destinations.described}",
            ),
            Validation(
                "NET-002",
                every(
                    _each("variables.leaving", (*_inside(facts), *_archive(facts))),
                    _each("variables.arriving", _inside(facts)),
                ),
                f"an ipBlock outside {facts.site}: {facts.destinations.described}; the payment provider from a "
                f"namespace of class payment, by a policy named {PAYMENT_PROVIDER}; the archive "
                f"{facts.destinations.archive} from {known(BACKED_UP)}, by {TO_ARCHIVE}",
            ),
        ),
        {
            "class": value(OWN_LABELS, DATA_CLASS_LABEL),
            "leaving": _cidrs("egress", "to"),
            "arriving": _cidrs("ingress", "from"),
        },
        NOT_LEAVING,
    )


def _closes() -> str:
    empty = [
        f"{part}.orValue([]).size() == 0"
        for part in (
            "object.spec.?egress",
            "object.spec.?ingress",
            "object.spec.?podSelector.?matchExpressions",
        )
    ]
    types = "object.spec.?policyTypes.orValue([])"
    return every(
        *empty,
        "object.spec.?podSelector.?matchLabels.orValue({}).size() == 0",
        f"'Ingress' in {types} && 'Egress' in {types}",
    )


def _peers(key: str) -> str:
    somebody = "has(p.ipBlock) || has(p.namespaceSelector) || has(p.podSelector)"
    return f"has(r.{key}) && size(r.{key}) > 0 && r.{key}.all(p, {somebody})"


def _cidrs(direction: str, key: str) -> str:
    """CEL of the networks of all peers. There is no flat map: a list of lists is asked one by one."""
    return (
        f"object.spec.?{direction}.orValue([]).map(r, r.?{key}.orValue([])"
        ".filter(p, has(p.ipBlock)).map(p, p.ipBlock.cidr)).flatten()"
    )


def _inside(facts: SiteFacts) -> tuple[str, ...]:
    places = facts.destinations
    elsewhere = literal(sorted({str(network) for _, network in places.elsewhere}))
    not_elsewhere = f"!{elsewhere}.exists(n, cidr(n).containsCIDR(x) || cidr(x).containsCIDR(n))"
    one_address = "cidr(x).prefixLength() == (cidr(x).ip().family() == 4 ? 32 : 128)"
    return (
        _within([str(network) for network in places.inside]),
        every(
            f"object.metadata.name in {literal(sorted(OWN_SERVICES))}",
            one_address,
            _within([str(network) for network in OWNERS_NETWORKS]),
            not_elsewhere,
        ),
        *_event_log(facts, one_address, not_elsewhere),
        every(
            f"object.metadata.name == {literal(PAYMENT_PROVIDER)}",
            "variables.class == 'payment'",
            f"cidr(x).prefixLength() >= {WIDEST_PREFIX}",
            not_elsewhere,
        ),
    )


def _event_log(facts: SiteFacts, one_address: str, not_elsewhere: str) -> tuple[str, ...]:
    """Brokers of a cluster of the owner's, where the site has none of its own."""
    if not facts.event_log or EVENT_LOG in facts.images:
        return ()
    named = f"object.metadata.name == {literal(TO_EVENT_LOG)}"
    owners = _within([str(network) for network in OWNERS_NETWORKS])
    return (every(named, "variables.class == 'personal'", one_address, owners, not_elsewhere),)


def _each(cidrs: str, ways: tuple[str, ...]) -> str:
    return f"{cidrs}.all(x, isCIDR(x) && cidr(x).masked() == cidr(x) && {either(*ways)})"


def _archive(facts: SiteFacts) -> tuple[str, ...]:
    archive = facts.destinations.archive
    if archive is None:
        return ()
    named = f"object.metadata.name == {literal(TO_ARCHIVE)}"
    return (every(named, f"variables.class in {literal(sorted(BACKED_UP))}", f"x == {literal(str(archive))}"),)


def _within(networks: list[str]) -> str:
    return f"{literal(networks)}.exists(n, cidr(n).containsCIDR(x))"


def _services() -> AdmissionPolicy:
    spec = "object.spec"
    return AdmissionPolicy("services", (Resources("", ("services",)),), (
        *service_checks(spec, "spec", value(OWN_LABELS, DATA_CLASS_LABEL)),
        Validation(
            "NET-003",
            f"{spec}.?selector.orValue({{}}).size() > 0",
            "spec without a selector, so whoever writes its endpoints says where it leads",
        ),
    ), conditions=NOT_THE_API_SERVER)  # fmt: skip


def service_checks(spec: str, place: str, data_class: str) -> tuple[Validation, ...]:
    """Return what has to be true of a service, whoever makes it.

    Args:
        spec: CEL of its `spec`.
        place: the same for messages.
        data_class: CEL of the class of what is behind it.
    """
    return (
        Validation(
            "NET-003",
            f"{spec}.?type.orValue('') in {literal([*TYPES])}",
            f"{place}.type: ClusterIP, NodePort or LoadBalancer",
        ),
        Validation(
            "NET-003",
            either(f"{spec}.?type.orValue('') != {literal(OPEN)}", f"{data_class} == {literal(OPEN_CLASS)}"),
            f"{place}.type: {OPEN} leads to {OPEN_CLASS} data only",
        ),
        *(
            Validation(
                "NET-003", f"!has({spec}.{name})", f"{place}.{name}: a name of the cluster for an address outside"
            )
            for name in OUTSIDE_FIELDS
        ),
    )


def _slices(facts: SiteFacts) -> AdmissionPolicy:
    return AdmissionPolicy(
        "endpoint-slices",
        (Resources("discovery.k8s.io", ("endpointslices",)),),
        (
            Validation(
                "NET-003",
                f"object.?endpoints.orValue([]).all(e, e.addresses.all(a, {_is_pod('a', facts)}))",
                f"an address that is no pod's of {facts.site}, {facts.pod_network}",
            ),
        ),
        conditions=NOT_THE_API_SERVER,
    )


def _endpoints(facts: SiteFacts) -> AdmissionPolicy:
    listed = [f"s.?{key}.orValue([]).all(a, {_is_pod('a.ip', facts)})" for key in ("addresses", "notReadyAddresses")]
    return AdmissionPolicy(
        "endpoints",
        (Resources("", ("endpoints",)),),
        (
            Validation(
                "NET-003",
                f"object.?subsets.orValue([]).all(s, {every(*listed)})",
                f"an address that is no pod's of {facts.site}, {facts.pod_network}",
            ),
        ),
        conditions=NOT_THE_API_SERVER,
    )


def _is_pod(address: str, facts: SiteFacts) -> str:
    return f"isIP({address}) && cidr({literal(facts.pod_network)}).containsIP({address})"
