"""What strangers try against a pair: where from, what they ask, and what of security's stories it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lab.edge.components import lab_settings
from lab.paths import pki_directory
from shopsphere.estate.site_agent import SITE_AGENT_PORT
from shopsphere.estate.site_config import API_SERVER_PORT
from shopsphere.estate.witness_seats import client_urls, ports, seats
from shopsphere.topology import ARCHIVE_PORT, Pair, Topology
from shopsphere.witness.store import encoded
from shopsphere.witness.users import PairKeys

Question = dict[str, Any]
CLIENT, POD, HOST = "a customer's host", "a pod", "root at a site"
KUBELET, NODE_PORTS = 10250, (30032, 30033)
TLS_HELLO = "16030100"
"""The first bytes of a TLS hello, to ports that speak first to nobody."""
POSTGRES_SSL = "0000000804d2162f"
"""PostgreSQL's request for TLS: a server that is reached answers S or N."""


@dataclass(frozen=True)
class Attempt:
    """One attempt.

    Attributes:
        story: entry of the review that tells it, or a word of ours.
        what: one line.
        place: where from: CLIENT, POD or HOST, each of another jurisdiction.
        questions: as `knocking.py` has them; the attempt is refused when each of them is.
        opens: texts that would mean success although there is no HTTP status of one.
    """

    story: str
    what: str
    place: str
    questions: list[Question] = field(default_factory=list)
    opens: tuple[str, ...] = ()


def tcp(host: Any, port: int, send: str = "") -> Question:
    """Bytes to a port; whatever comes back is an answer."""
    return {"tcp": [str(host), port], "send": send}


def post(url: str, body: Any, **more: Any) -> Question:
    """A POST with a JSON body."""
    text = body if isinstance(body, str) else json.dumps(body)
    return {"url": url, "method": "POST", "body": text, "headers": {"Content-Type": "application/json"}, **more}


def all_attempts(pair: Pair, other: Pair, topology: Topology) -> list[Attempt]:
    """Return every attempt of people in `other`'s jurisdiction against `pair`."""
    return [
        *_witness(pair, other, topology),
        *_agents(pair, topology),
        *_clusters(pair, topology),
        *_databases(pair, topology),
        *_edge(topology),
        *_shop(pair, topology),
    ]


def _witness(pair: Pair, other: Pair, topology: Topology) -> Iterator[Attempt]:
    voters, keys = client_urls(pair, topology), PairKeys.of(pair.name)
    plain = [voter.replace("https://", "http://") for voter in voters]
    record = {"key": encoded(keys.record), "value": encoded(json.dumps({"epoch": 2, "active": pair.recovery}))}
    filling = {"key": encoded(keys.all + "filling"), "value": encoded("x" * 1_500_000)}
    peer = ports(pair, topology)[1]
    foreign = pki_directory() / "witness" / other.name
    stolen = {user: [str(foreign / f"{user}.crt"), str(foreign / f"{user}.key")] for user in ("operator", "root")}
    yield Attempt("C1", "write the record over http", CLIENT, [post(f"{url}/v3/kv/put", record) for url in plain])
    yield Attempt(
        "C1", "write the record without a certificate", CLIENT, [post(f"{v}/v3/kv/put", record) for v in voters]
    )
    yield Attempt("C1", "the same from a pod", POD, [post(f"{v}/v3/kv/put", record) for v in voters])
    for user, certificate in stolen.items():
        yield Attempt(
            "C1",
            f"write the record with the certificate of {other.name}'s {user}",
            HOST,
            [post(f"{v}/v3/kv/put", record, certificate=certificate) for v in voters],
        )
    yield Attempt("C1", "end the lease", HOST, [post(f"{v}/v3/lease/leases", {}) for v in voters])
    garbage = {**record, "value": encoded("{{{")}
    yield Attempt("C1", "write garbage", HOST, [post(f"{v}/v3/kv/put", garbage) for v in voters])
    own = f"//{topology.site(other.primary).address}:"
    far = next(each for each in voters if own not in each)  # logs of his own host prove nothing
    yield Attempt("C1", "41 writes that fill the store", HOST, [post(f"{far}/v3/kv/put", filling)] * 41)
    yield Attempt(
        "C1", "read the record", CLIENT, [post(f"{v}/v3/kv/range", {"key": encoded(keys.record)}) for v in voters]
    )
    yield Attempt(
        "C1",
        "ask for a token as root",
        HOST,
        [
            post(f"{v}/v3/auth/authenticate", {"name": "root", "password": "root"}, certificate=stolen["root"])
            for v in voters
        ],
    )
    places = [topology.site(seat).address for seat in seats(pair, topology)]
    yield Attempt(
        "C1",
        "list the members at the peer port",
        HOST,
        [{"url": f"https://{place}:{peer}/members", "certificate": stolen["root"]} for place in places],
    )
    yield Attempt(
        "C1",
        "take a seat",
        HOST,
        [post(f"{v}/v3/cluster/member/add", {"peerURLs": ["https://10.99.80.10:2380"]}) for v in voters],
    )


def _agents(pair: Pair, topology: Topology) -> Iterator[Attempt]:
    doors = [f"http://{topology.site(site).address}:{SITE_AGENT_PORT}" for site in pair.sites]
    yield Attempt(
        "H1",
        "read names and reasons of operators",
        CLIENT,
        [{"url": f"{d}/state"} for d in doors],
    )
    yield Attempt("H1", "the same from a pod", POD, [{"url": f"{door}/state"} for door in doors])
    yield Attempt(
        "H1",
        "tell an agent to open",
        HOST,
        [post(f"{door}{path}", {"open": True}) for door in doors for path in ("/", "/state", "/writes")],
    )
    yield Attempt(
        "H1",
        "hold 1,020 slow connections to the active site's door for 30 s",
        CLIENT,
        [{"slow": [str(topology.site(pair.primary).address), SITE_AGENT_PORT], "connections": 1020, "seconds": 30}],
        opens=("1020 still open",),
    )


def _clusters(pair: Pair, topology: Topology) -> Iterator[Attempt]:
    permit = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "shopsphere-permit-2",
            "labels": {"app.kubernetes.io/managed-by": "shopsphere-break-glass"},
        },
        "data": {"permit.json": json.dumps({"pair": pair.name, "epoch": 2**62, "active": pair.recovery})},
    }
    for site in pair.sites:
        address = topology.site(site).address
        api = f"https://{address}:{API_SERVER_PORT}"
        maps = f"{api}/api/v1/namespaces/data-ledger/configmaps"
        token = {"headers": {"Authorization": "Bearer " + "a" * 40, "Content-Type": "application/json"}}
        yield Attempt("H3", f"lay a permit down at {site}", CLIENT, [post(maps, permit)])
        yield Attempt(
            "H3", f"lay a permit down at {site} with a made-up token", HOST, [{**post(maps, permit), **token}]
        )
        yield Attempt("H13", f"read all secrets of {site}", HOST, [{"url": f"{api}/api/v1/secrets"}])
        yield Attempt("H13", f"read secrets of {site} from a pod", POD, [{"url": f"{api}/api/v1/secrets"}])
        yield Attempt(
            "H13",
            f"run a program in {site}'s ledger at its kubelet",
            HOST,
            [
                post(f"https://{address}:{KUBELET}/run/data-ledger/ledger-{site}-1/postgres", "cmd=id"),
                {"url": f"https://{address}:{KUBELET}/pods"},
            ],
        )
        yield Attempt("H13", f"reach {site}'s kubelet from a pod", POD, [tcp(address, KUBELET, TLS_HELLO)])
        yield Attempt(
            "H13",
            f"ask the store of {site}'s cluster",
            HOST,
            [
                post(f"http://{address}:{port}/v3/kv/range", {"key": encoded("/"), "range_end": encoded("0")})
                for port in (2379, 2380)
            ],
        )


def _databases(pair: Pair, topology: Topology) -> Iterator[Attempt]:
    ways = [(topology.site(site).address, port) for site in pair.sites for port in NODE_PORTS]
    for place in (CLIENT, POD, HOST):
        yield Attempt(
            "M4", f"reach the databases' doors from {place}", place, [tcp(*way, POSTGRES_SSL) for way in ways]
        )
    yield Attempt(
        "M4",
        "speak to the databases without TLS",
        HOST,
        [tcp(*way, "00000021000300007573657200706f73746772657300646174616261736500780000") for way in ways],
    )
    archive = topology.jurisdictions[topology.jurisdiction_of(pair.primary)].archive
    if archive:
        yield Attempt(
            "M5", "list the archive of backups", HOST, [{"url": f"https://{archive.address}:{ARCHIVE_PORT}/"}]
        )
        yield Attempt("M5", "reach the archive from a pod", POD, [tcp(archive.address, ARCHIVE_PORT, TLS_HELLO)])


def _edge(topology: Topology) -> Iterator[Attempt]:
    zone = topology.domain
    settings = lab_settings()
    servers, cdn = settings.authorities.values(), settings.cdn
    dns_port, cdn_port = settings.dns_api_port, settings.cdn_api_port
    rule = {
        "rrsets": [
            {
                "name": f"www.{zone}.", "type": "LUA", "ttl": 5, "changetype": "REPLACE",
                "records": [{"content": "A \"os.execute('id')\"", "disabled": False}],
            }
        ]
    }  # fmt: skip
    for scheme in ("http", "https"):
        path = f"{scheme}://%s:{dns_port}/api/v1/servers/localhost/zones/{zone}."
        yield Attempt(
            "H10",
            f"rewrite www without a key, {scheme}",
            CLIENT,
            [{**post(path % server, rule), "method": "PATCH"} for server in servers],
        )
        yield Attempt(
            "H10",
            f"rewrite www with a guessed key, {scheme}",
            HOST,
            [
                {**post(path % server, rule), "method": "PATCH", "headers": {"X-API-Key": "changeme"}}
                for server in servers
            ],
        )
        yield Attempt("H10", f"read the zone, {scheme}", CLIENT, [{"url": path % server} for server in servers])
        yield Attempt(
            "M14",
            f"read the name servers' statistics, {scheme}",
            CLIENT,
            [{"url": f"{scheme}://{server}:{dns_port}{page}"} for server in servers for page in ("/", "/metrics")],
        )
        yield Attempt(
            "M12",
            f"take the CDN over, {scheme}",
            HOST,
            [
                {
                    **post(f"{scheme}://{cdn}:{cdn_port}/v1/distributions/static", {"name": "static"}),
                    "method": method,
                }
                for method in ("PUT", "DELETE", "GET")
            ],
        )
    yield Attempt("H10", "reach the name servers' API from a pod", POD, [tcp(server, dns_port) for server in servers])
    yield Attempt("M12", "reach the CDN's API from a pod", POD, [tcp(cdn, cdn_port)])
    yield Attempt(
        "M12",
        "ask the cache itself",
        HOST,
        [tcp(cdn, port) for port in (settings.cache_admin_port, settings.cache_port)],
    )


def _shop(pair: Pair, topology: Topology) -> Iterator[Attempt]:
    shop = f"https://{topology.shop_host}"
    inner = ("/readyz", "/livez", "/version", "/metrics", "/healthz", "/stats", "/haproxy?stats", "/internal")
    yield Attempt("M14", "ask the shop's inner endpoints", CLIENT, [{"url": shop + path} for path in inner])
    for site in pair.sites:
        address = topology.site(site).address
        yield Attempt(
            "M14",
            f"the same at {site}, by its address",
            CLIENT,
            [{"url": f"https://{address}{path}", "headers": {"Host": topology.shop_host}} for path in inner],
        )
        yield Attempt(
            "H6",
            f"ask {site}'s payments through the gateway",
            CLIENT,
            [
                post(f"https://{address}{path}", {"amount": 1}, headers={"Host": host})
                for host in ("payments.payments.svc.cluster.local", "payments", topology.shop_host)
                for path in ("/v1/payments", "/v1/payments/void", "/v1/statements/by-keys")
            ],
        )
    yield Attempt(
        "M8",
        "reach the shop of another jurisdiction from a pod",
        POD,
        [tcp(topology.site(pair.primary).address, 443, TLS_HELLO)],
    )
