"""A pair that is ready to fail over, as plain documents: a test changes one thing and sees which check notices."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbooks.pair_access import PairAccess
from runbooks.readiness.drill_record import DrillRecord, Move, Result
from runbooks.readiness.pair_view import PairView
from runbooks.restore.archives import Backup
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import ClusterUnreachableError
from shopsphere.clients.edge_errors import ServiceError
from shopsphere.clients.postgres import cluster_path
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.clients.questions import ABOUT_CAPACITY as CAPACITY
from shopsphere.estate.databases import DATABASES, LEDGER, DatabaseModel
from shopsphere.estate.pair_secrets import generate_pair_secrets
from shopsphere.estate.ready_workloads import ReadyWorkload, WorkloadKind
from shopsphere.estate.stack import Environment
from shopsphere.names.name_servers import NameServer
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.names.zone_view import ZoneView
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Sync, Voter
from shopsphere.witness.heads import Heads
from shopsphere.witness.own_keys import OwnKeys
from shopsphere.witness.seen import Seen
from shopsphere.witness.store import Entry

TOPOLOGY = load_topology()
PAIR, HOME, AWAY = "rdc-a", "frankfurt", "dublin"
SECRETS = generate_pair_secrets(TOPOLOGY, PAIR)
IMAGE_ID = "sha256:" + "a1" * 32
WORKLOADS = {"shop": "shop", "payments": "payments", "gateway": "haproxy"}
EVENT_LOG = {"collector": "shop", "insight": "shop", "recommend": "shop"}
"""What a pair with an event log has beside its broker."""
COUNTING = """# TYPE insight_counts gauge
insight_counts {counts}
insight_seconds_since_commit {still}
insight_lag_records 12
insight_lag_seconds {behind}
insight_certificate_ends_timestamp_seconds {ends}
insight_outcomes_total{{outcome="counted",unit="events"}} 7
"""
LOGIN_SECRETS = {
    "commerce": ("commerce-service", "commerce-insight", "commerce-recommend", "commerce-export"),
    "ledger": ("ledger-service",),
}


def record(**values: object) -> PairRecord:
    return PairRecord.first(PAIR, HOME, actor="test").changed(
        actor="test", reason="test", **{"sync": Sync.ON, **values}
    )


def drill(**values: object) -> DrillRecord:
    now = datetime.now(UTC)
    moves = tuple(Move(target=site, run="1", total_seconds=18.2, steps={}) for site in (AWAY, HOME))
    facts = {
        "pair": PAIR, "environment": Environment.LAB, "home": HOME, "away": AWAY, "epoch": 1, "actor": "anna",
        "reason": "weekly", "began": now, "ended": now, "result": Result.GREEN, "moves": moves,
    }  # fmt: skip
    return DrillRecord(**{**facts, **values})


def named(namespace: str, name: str, **parts: object) -> dict[str, Any]:
    return {"metadata": {"namespace": namespace, "name": name}, **parts}


def secret(namespace: str, name: str, **contents: str) -> dict[str, Any]:
    data = {
        key.replace("_crt", ".crt").replace("_key", ".key"): base64.b64encode(text.encode()).decode()
        for key, text in contents.items()
    }
    return named(namespace, name, data=data)


def pod(namespace: str, container: str, *, watts: str = "10") -> dict[str, Any]:
    resources = {"requests": {"shopsphere.io/watts": watts}}
    image = f"localhost/shopsphere/{container}:1"
    return named(
        namespace, f"{namespace}-1",
        spec={"containers": [{"name": container, "image": image, "resources": resources}]},
        status={"phase": "Running", "containerStatuses": [{"name": container, "imageID": IMAGE_ID}]},
    )  # fmt: skip


class Site:
    """In place of a site's Cluster; every list and answer may be changed."""

    def __init__(self, name: str, peer: str, *, active: bool) -> None:
        self.name = self.context = name
        self.dead = False
        self.clusters = {each.name: _cluster(each, name, peer, active=active) for each in DATABASES}
        self.instances = {each.name: _instance(each, peer, active=active) for each in DATABASES}
        self.capacity = {
            each.name: {"version": "15.18", "keep_bytes": 256 * 2**20, "written_bytes": 10**6, "written_seconds": 3600}
            for each in DATABASES
        }
        self.worker = COUNTING.format(counts=int(active), still=0.4, behind=0, ends=soon_ending(days=700))
        self.declared = tuple(ReadyWorkload(WorkloadKind.DEPLOYMENT, name) for name in WORKLOADS)
        self.disk = "   Used  Avail\n    40     60\n    40     60\n"
        replicas = 2 if active else 1
        data = [pod(each.namespace.name, "postgres") for each in DATABASES]
        self.lists = {
            "/api/v1/pods": [*(pod(*each) for each in WORKLOADS.items()), *data],
            "/apis/apps/v1/deployments": [
                named(name, name, spec={"replicas": replicas}, status={"readyReplicas": replicas}) for name in WORKLOADS
            ],
            "/api/v1/resourcequotas": [
                named(name, "power", status={"hard": {"requests.watts": "1k"}, "used": {"requests.watts": "20"}})
                for name in WORKLOADS
            ],
            "/api/v1/nodes": [
                {
                    "metadata": {"name": "node"},
                    "status": {
                        "conditions": [{"type": "Ready", "status": "True"}],
                        "allocatable": {"shopsphere.io/watts": "1000"},
                    },
                }
            ],
            "/api/v1/secrets": [
                *_secrets(),
                secret("gateway", "gateway-tls", tls_crt=SECRETS["ledgerServerCertificate"]),
            ],
        }

    def take_event_log(self) -> None:
        """Have one, with each pod ready."""
        kinds = {**dict.fromkeys(EVENT_LOG, WorkloadKind.DEPLOYMENT), "kafka": WorkloadKind.STATEFUL_SET}
        self.declared += tuple(ReadyWorkload(kind, name) for name, kind in kinds.items())
        there = {name: named(name, name, spec={"replicas": 1}, status={"readyReplicas": 1}) for name in kinds}
        self.lists["/apis/apps/v1/statefulsets"] = [there.pop("kafka")]
        self.lists["/apis/apps/v1/deployments"] += there.values()
        self.lists["/api/v1/pods"] += [pod(*each, watts="0") for each in (*EVENT_LOG.items(), ("kafka", "kafka"))]
        amounts = {"hard": {"requests.watts": "90"}, "used": {"requests.watts": "20"}}
        self.lists["/api/v1/resourcequotas"].append(named("kafka", "power", status=amounts))
        ready = {"conditions": [{"type": "Ready", "status": "True"}]}
        self.lists["/api/v1/namespaces/insight/pods"] = [named("insight", "insight-1", status=ready)]

    def _require_life(self) -> None:
        if self.dead:
            raise ClusterUnreachableError(f"{self.name}: no answer from https://{self.name}")

    def get_nothing(self) -> None:
        self._require_life()

    def get(self, path: str) -> dict[str, Any]:
        self._require_life()
        return next(
            self.clusters[each.name]
            for each in DATABASES
            if cluster_path(each.namespace.name, each.cluster(self.name)) == path
        )

    def items(self, path: str, **_query: str) -> list[dict[str, Any]]:
        self._require_life()
        place, _, kind = path.rpartition("/")
        if kind == "secrets" and path not in self.lists:
            namespace = place.rpartition("/")[2]
            return [each for each in self.lists["/api/v1/secrets"] if each["metadata"]["namespace"] == namespace]
        return self.lists[path]

    def execute(self, namespace: str, _pod: str, _container: str, command: Sequence[str], **_bounds: float) -> str:
        self._require_life()
        if namespace == "insight":
            assert command == ["shop", "metrics", "8012"]
            return self.worker
        database = next(each.name for each in DATABASES if each.namespace.name == namespace)
        if command[0] == "df":
            return self.disk
        return json.dumps(self.capacity[database] if CAPACITY in command else self.instances[database])


def soon_ending(*, days: float) -> int:
    return int((datetime.now(UTC) + timedelta(days=days)).timestamp())


def no_heads() -> dict[str, Any]:
    """Return what an agent tells that has seen no audit log."""
    return {"heads": [], "problem": ""}


class ReadyPair:
    """Both sites, the witness, the authorities and the agents."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self.sites = {HOME: Site(HOME, AWAY, active=True), AWAY: Site(AWAY, HOME, active=False)}
        self.agents: dict[str, dict[str, Any]] = {
            HOME: {"databases": True, "writes": True, "because": "lease held", "role": "primary"},
            AWAY: {
                "databases": True,
                "writes": False,
                "because": "reading only",
                "role": "replica",
                "audit": no_heads(),
            },
        }
        for state in self.agents.values():
            state["audit"] = no_heads()
        self.voters = [Voter(f"http://{TOPOLOGY.site(each).address}:2480", "") for each in ("ashburn", "newyork")]
        self.seen = Seen(record(), 1, HOME)
        self.lock: Entry | None = None
        self.keys = OwnKeys({"watcher.crt": datetime.now(UTC) + timedelta(days=400)})
        self.zone: ZoneView | None = None
        self.edge_ends: dict[str, datetime | None] = {
            name: datetime.now(UTC) + timedelta(days=500) for name in ("ca.crt", "runbooks.crt", "door of ns1")
        }
        self.role_ends: dict[str, dict[str, datetime | None]] = {
            site: {"watch": datetime.now(UTC) + timedelta(days=200)} for site in (HOME, AWAY)
        }
        self.heads = Heads()
        self.signatures: dict[str, datetime | None] = {}
        just_now = datetime.now(UTC)
        self.backups = [Backup(each.name, site, just_now, just_now) for each in DATABASES for site in (HOME, AWAY)]
        self.witness: Any = SimpleNamespace(
            see=lambda: self.seen,
            locked_by=lambda: self.lock,
            each_voter=lambda: self.voters,
            close=lambda: None,
            audit=SimpleNamespace(heads=lambda: self.heads),
            belief=SimpleNamespace(renewable=lambda _record: self.signatures),
        )
        self.authorities = [Authority(name) for name in ("ns1", "ns2")]
        self.answers: dict[str, str | Exception] = {"ns1": str(TOPOLOGY.site(HOME).address)}
        self.access = ReadyAccess(self)
        monkeypatch.setenv("SHOPSPHERE_LAB", str(directory))

    def view(self, seconds: float = 60.0) -> PairView:
        return PairView(self.access, seconds=seconds)


class ReadyAccess(PairAccess):
    """The ways to a pair that is made of documents."""

    def __init__(self, ready: ReadyPair) -> None:
        super().__init__(TOPOLOGY, TOPOLOGY.pair(PAIR), Environment.LAB, ready.witness)
        self.ready = ready

    def cluster(self, site: str) -> Cluster:
        return cast("Cluster", self.ready.sites[site])

    def workloads(self, site: str) -> tuple[ReadyWorkload, ...]:
        return self.ready.sites[site].declared

    def witness_keys(self) -> OwnKeys:
        return self.ready.keys

    def witness_certificates(self) -> dict[str, datetime | None]:
        return dict(self.ready.keys.ends)

    def role_certificates(self, site: str) -> dict[str, datetime | None]:
        return self.ready.role_ends[site]

    def edge_certificates(self) -> dict[str, datetime | None]:
        return self.ready.edge_ends

    def agent_state(self, site: str, *, until: str = "") -> dict[str, Any]:  # noqa: ARG002 answers at once
        return self.ready.agents[site]

    def gateway_certificate_end(self, site: str) -> datetime | None:
        self.ready.sites[site].get_nothing()
        return datetime.now(UTC) + timedelta(days=300)

    def backups(self) -> list[Backup]:
        return self.ready.backups

    def authorities(self) -> list[DnsAuthority]:
        return cast("list[DnsAuthority]", self.ready.authorities)

    def name_servers(self) -> list[NameServer]:
        return [NameServer(name, IPv4Address("10.0.0.53"), for_others=True) for name in self.ready.answers]

    def zone_view(self) -> ZoneView | None:
        return self.ready.zone

    def addresses_at(self, server: NameServer, **_bounds: float) -> tuple[IPv4Address, ...]:
        answer = self.ready.answers[server.name]
        if isinstance(answer, Exception):
            raise answer
        return (IPv4Address(answer),)

    def declaration(self) -> PairDeclaration:
        return DECLARATION


DECLARATION = PairDeclaration(
    zone="shopsphere.test.", pair=PAIR, primary=HOME, recovery=AWAY,
    addresses={site: str(TOPOLOGY.site(site).address) for site in (HOME, AWAY)}, active_weight=100, passive_weight=0,
    ttl=5,
)  # fmt: skip


class Authority:
    """A DNS authority that holds the pair's state and the names that follow it."""

    def __init__(self, name: str, state: PairState = PairState(1, HOME)) -> None:  # noqa: B008 a frozen value
        self.name = name
        self.state = DECLARATION.rrset(state)
        self.ttl = 5
        self.asked: list[tuple[str, str]] = []
        self.refuses: set[PairState] = set()

    def rrset(self, _zone: str, name: str, _type: str) -> RRset | SimpleNamespace:
        return self.state if name == DECLARATION.name else SimpleNamespace(name=name, ttl=self.ttl)

    def require_writable(self, zone: str, rrset: RRset) -> None:
        self.asked.append((zone, str(rrset)))
        if DECLARATION.stated(rrset) in self.refuses:
            raise ServiceError.build(
                f"DNS authority {self.name} refused PATCH", expected="2xx", found="403", action="read its words"
            )


def _cluster(database: DatabaseModel, site: str, peer: str, *, active: bool) -> dict[str, Any]:
    own, other = database.cluster(site), database.cluster(peer)
    return named(
        database.namespace.name, own,
        spec={
            "replica": {"self": own, "primary": own if active else other, "source": other},
            "postgresql": {"parameters": {"shared_buffers": "64MB", "wal_keep_size": "256MB"}},
            "certificates": {
                "serverAltDNSNames": ["x"], "serverCASecret": "pair-ca", "serverTLSSecret": f"{database.name}-server",
            },
            "managed": {"roles": [{"passwordSecret": {"name": each}} for each in LOGIN_SECRETS[database.name]]},
            "bootstrap": {"initdb" if active else "pg_basebackup": {"secret": {"name": f"{database.name}-owner"}}},
        },
        status={
            "currentPrimary": f"{own}-1",
            "certificates": {"expirations": {
                "pair-ca": "2036-11-28 12:00:00 +0000 UTC", f"{database.name}-server": "2036-11-28 12:00:00 +0000 UTC",
            }},
        },
    )  # fmt: skip


def _instance(database: DatabaseModel, peer: str, *, active: bool) -> dict[str, Any]:
    sync = "sync" if database is LEDGER else "async"
    follower = {
        "name": database.cluster(peer), "state": "streaming", "sync": sync, "lag_bytes": 168, "lag_ms": 9500,
    }  # fmt: skip
    receiver = {"state": "streaming", "from": "10.99.0.11", "lag_bytes": 0, "lag_ms": 0}
    return {
        "in_recovery": not active,
        "waits_for": "",
        "bytes": 1,
        "followers": [follower] if active else [],
        "receiver": None if active else receiver,
    }


def _secrets() -> Iterator[dict[str, Any]]:
    for each in DATABASES:
        namespace = each.namespace.name
        yield secret(namespace, "pair-ca", ca_crt=SECRETS["pairCaCertificate"])
        yield secret(
            namespace, f"{each.name}-server", tls_crt=SECRETS[f"{each.name}ServerCertificate"],
            tls_key=SECRETS[f"{each.name}ServerKey"],
        )  # fmt: skip
        yield secret(namespace, f"{each.name}-owner", password=SECRETS[f"{each.name}Password"])
        for name in LOGIN_SECRETS[each.name]:
            yield secret(namespace, name, password=SECRETS[f"{each.name}{name.rpartition('-')[2].title()}Password"])
    yield secret("shop", "shop-settings", SHOP_SESSION_SECRET=SECRETS["sessionSecret"])
