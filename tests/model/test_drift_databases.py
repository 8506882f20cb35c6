"""A server against witness, declaration and settings: as pure functions over what an inventory holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from manual_clock import ManualClock

from shopsphere.clients.cluster_errors import ClusterUnreachableError
from shopsphere.clients.postgres_inventory import Fact, Inventory, Sender, State, read_inventory
from shopsphere.drift import looking
from shopsphere.drift.database_declared import declared_servers
from shopsphere.drift.database_role import SYNCHRONY, Standing
from shopsphere.drift.databases import AGAIN_SECONDS, SETTLING_SECONDS, look_at_databases
from shopsphere.drift.declared import Declared
from shopsphere.drift.model import SiteDrift
from shopsphere.drift.repair import Repair
from shopsphere.estate.kubectl_line import SiteKubectl
from shopsphere.foundation import bounded
from shopsphere.witness import WitnessUnreachableError

pytestmark = pytest.mark.requirement("database roles, settings and grants are compared with witness and declaration")

Document = dict[str, Any]
SITE, PEER = "frankfurt", "dublin"
ADDRESSES = {SITE: "10.99.0.11", PEER: "10.99.0.12"}
WAITS = f'FIRST 1 ("ledger-{PEER}")'
STEADY = Standing(SITE, waits=True, revision=7)
OPERATORS = {
    "listen_addresses": "*",
    "port": "5432",
    "ssl": "on",
    "archive_command": "(disabled)",
    "archive_mode": "off",
    "archive_timeout": "5min",
    "restore_command": "false",
    "cnpg.config_sha256": "1f2e",
    "cnpg.synchronous_standby_names_metadata": "{}",
    "hba_file": "/var/lib/postgresql/data/pgdata/pg_hba.conf",
    "log_destination": "csvlog",
    "log_statement": "none",
    "log_timezone": "Etc/UTC",
    "wal_level": "logical",
    "restart_after_crash": "off",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "wal_keep_size": "2GB",
    "max_standby_streaming_delay": "1s",
}
"""Settings of a server as CloudNativePG sets them, and PostgreSQL shows them."""


def body(site: str) -> Document:
    names = [f"ledger-{each}" for each in sorted(ADDRESSES)]
    parameters = {"shared_buffers": "256MB", "wal_keep_size": "2048MB", "max_standby_streaming_delay": "1s"}
    external = [
        {"name": name, "connectionParameters": {"host": ADDRESSES[name.removeprefix("ledger-")]}} for name in names
    ]
    return {
        "metadata": {"name": f"ledger-{site}", "namespace": "data-ledger", "annotations": {}},
        "spec": {"postgresql": {"parameters": parameters}, "externalClusters": external},
    }


class Server:
    """One site's ledger, as it should be; a test changes it."""

    def __init__(self, site: str = SITE, active: str = SITE) -> None:
        self.site = site
        self.declared = [Declared("postgresql.cnpg.io/v1", "Cluster", body(site), "pulumi")]
        (server,) = declared_servers(self.declared)
        self.document: Document = {
            **body(site),
            "status": {"currentPrimary": f"ledger-{site}-1", "instancesReportedState": {}},
        }
        self.document["spec"]["replica"] = {"self": f"ledger-{site}", "primary": f"ledger-{active}"}
        settings = tuple(Fact(f"setting {name}", "", value) for name, value in OPERATORS.items())
        sender = Sender(f"ledger-{PEER}", "streaming_replica", ADDRESSES[PEER])
        leads = site == active
        state = State(
            in_recovery=not leads,
            synchronous=WAITS if leads else "",
            source="" if leads else ADDRESSES[SITE],
            source_tls="" if leads else "verify-ca",
            senders=(sender,) if leads else (),
        )
        self.inventory = Inventory(state, (*server.server, *settings), server.rules, server.databases, server.version)
        self.collectors: list[Document] = [{"status": {"phase": "Pending"}}]
        self.standings: Iterator[Standing] = iter(())
        self.standing = STEADY
        self.changing: Callable[[int], None] = lambda _: None
        self.looks = 0
        self.silent: ClusterUnreachableError | None = None
        self.silent_witness: WitnessUnreachableError | None = None
        self.clock = ManualClock()

    def state(self, **changes: Any) -> None:
        self.inventory = replace(self.inventory, state=replace(self.inventory.state, **changes))

    def setting(self, name: str, value: str, field: str = "") -> None:
        others = [each for each in self.inventory.server if (each.object, each.field) != (f"setting {name}", field)]
        self.inventory = replace(self.inventory, server=(*others, Fact(f"setting {name}", field, value)))

    def get(self, path: str) -> Document:
        if path == "/api/v1/namespaces/archive-ledger/pods":
            return {"items": self.collectors}
        assert path.endswith(f"/namespaces/data-ledger/clusters/ledger-{self.site}")
        return self.document

    def take(self, namespace: str, pod: str, database: str) -> Inventory:
        assert (namespace, pod, database) == ("data-ledger", f"ledger-{self.site}-1", "ledger")
        if self.silent:
            raise self.silent
        self.looks += 1
        self.changing(self.looks)
        return self.inventory

    def ask(self) -> Standing:
        if self.silent_witness:
            raise self.silent_witness
        return next(self.standings, self.standing)

    def look(self) -> SiteDrift:
        repair = Repair(self.site, "lab", SiteKubectl(f"/kubeconfigs/{self.site}.yaml", self.site))
        return look_at_databases(self.declared, self, self.take, self.ask, repair, self.clock)

    def found(self) -> list[tuple[str, str, str, bool]]:
        drifts = self.look().drifts
        return [(each.object.partition(": ")[2], each.field, each.severity.value, each.residency) for each in drifts]


@pytest.mark.parametrize("site", [SITE, PEER])
def test_a_pair_that_stands_as_the_witness_says_is_clean(site: str) -> None:
    server = Server(site)
    found = server.look()
    assert (found.drifts, found.unseen) == ((), ())
    assert found.live > 100
    assert (server.looks, server.clock.now) == (1, 0.0)


CHANGED: list[tuple[str, Callable[[Server], None], list[tuple[str, str, str, bool]]]] = [
    (SITE, lambda it: it.state(in_recovery=True, source=ADDRESSES[PEER], source_tls="verify-ca"),
     [("role", "", "critical", False)]),
    (PEER, lambda it: it.state(in_recovery=False), [("role", "", "critical", False)]),
    (PEER, lambda it: it.document["spec"]["replica"].update(primary=f"ledger-{PEER}"),
     [("role", "spec.replica.primary", "critical", False)]),
    (SITE, lambda it: it.state(synchronous=""), [(SYNCHRONY, "", "critical", False)]),
    (SITE, lambda it: it.state(synchronous='FIRST 1 ("elsewhere")'),
     [(SYNCHRONY, "", "critical", True)]),
    (SITE, lambda it: it.state(synchronous=f'FIRST 2 ("ledger-{PEER}","ledger-{PEER}")'),
     [(SYNCHRONY, "", "critical", False)]),
    (PEER, lambda it: it.state(synchronous=WAITS), [(SYNCHRONY, "", "critical", True)]),
    (PEER, lambda it: it.state(source="203.0.113.9"), [("setting primary_conninfo", "host", "critical", True)]),
    (PEER, lambda it: it.state(source=""), [("setting primary_conninfo", "host", "critical", True)]),
    (PEER, lambda it: it.state(source_tls="require"), [("setting primary_conninfo", "sslmode", "critical", True)]),
    (SITE, lambda it: it.state(senders=(Sender("pg_receivewal", "streaming_replica", "203.0.113.9"),)),
     [("receiver pg_receivewal", "", "critical", True)]),
    (SITE, lambda it: it.state(senders=(Sender(f"ledger-{PEER}", "streaming_replica", "203.0.113.9"),)),
     [(f"receiver ledger-{PEER}", "", "critical", True)]),
    (SITE, lambda it: it.state(senders=(Sender(f"ledger-{PEER}", "mallory", ADDRESSES[PEER]),)),
     [(f"receiver ledger-{PEER}", "", "critical", True)]),
    (SITE, lambda it: it.state(senders=(Sender("pg_receivewal", "postgres", ""),)),
     [("receiver pg_receivewal", "", "critical", True)]),
    (SITE, lambda it: it.setting("listen_addresses", "0.0.0.0"), [("setting listen_addresses", "", "critical", True)]),
    (SITE, lambda it: it.setting("archive_command", "cp %p /mnt/away/%f"),
     [("setting archive_command", "", "critical", True)]),
    (SITE, lambda it: it.setting("restore_command", "sh -c evil"),
     [("setting restore_command", "", "critical", True)]),
    (SITE, lambda it: it.setting("ssl", "off"), [("setting ssl", "", "critical", True)]),
    (SITE, lambda it: it.setting("shared_preload_libraries", "spy"),
     [("setting shared_preload_libraries", "", "critical", True)]),
    (SITE, lambda it: it.setting("log_destination", "syslog"), [("setting log_destination", "", "critical", True)]),
    (SITE, lambda it: it.setting("log_statement", "all"), [("setting log_statement", "", "high", False)]),
    (SITE, lambda it: it.setting("log_parameter_max_length", "-1"),
     [("setting log_parameter_max_length", "", "high", False)]),
    (SITE, lambda it: it.setting("wal_keep_size", "64MB"), [("setting wal_keep_size", "", "medium", False)]),
    (SITE, lambda it: it.setting("max_standby_streaming_delay", "30s"),
     [("setting max_standby_streaming_delay", "", "medium", False)]),
    (SITE, lambda it: it.setting("fsync", "off"), [("setting fsync", "", "high", False)]),
    (SITE, lambda it: it.setting("work_mem", "1GB", "by ALTER SYSTEM"),
     [("setting work_mem", "by ALTER SYSTEM", "high", False)]),
]  # fmt: skip


@pytest.mark.parametrize(("site", "change", "expected"), CHANGED)
def test_a_server_that_is_not_as_it_should_be_is_found(
    site: str, change: Callable[[Server], None], expected: list[tuple[str, str, str, bool]]
) -> None:
    server = Server(site)
    change(server)
    assert server.found() == expected
    thrice = expected[0][0] == SYNCHRONY
    assert (server.looks, server.clock.now) == ((3, AGAIN_SECONDS + SETTLING_SECONDS) if thrice else (2, AGAIN_SECONDS))


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.setting("work_mem", "64MB"),  # neither declared nor of those that matter
        lambda it: it.setting("wal_keep_size", "2097152kB"),
        lambda it: it.setting("restart_after_crash", "false"),
        lambda it: it.setting("restore_command", "false", "by ALTER SYSTEM"),
        lambda it: it.setting("primary_conninfo", "host=10.99.0.12", "by ALTER SYSTEM"),
        lambda it: it.state(senders=(Sender("pg_basebackup", "streaming_replica", ADDRESSES[PEER]),)),
        lambda it: it.state(senders=()),  # a follower that is away is a matter of `status`
    ],
)
def test_what_means_the_same_or_is_somebody_elses_work_makes_no_noise(change: Callable[[Server], None]) -> None:
    server = Server()
    change(server)
    assert server.found() == []


def test_an_instance_of_the_same_cluster_receives_the_log_from_its_own_address_only() -> None:
    server = Server()
    server.document["status"]["instancesReportedState"] = {"ledger-frankfurt-2": {"ip": "10.1.0.7"}}
    server.state(senders=(Sender("ledger-frankfurt-2", "streaming_replica", "10.1.0.7"),))
    assert server.found() == []
    server.state(senders=(Sender("ledger-frankfurt-2", "streaming_replica", "10.1.0.8"),))
    assert server.found() == [("receiver ledger-frankfurt-2", "", "critical", True)]


def test_the_log_is_kept_for_instances_of_the_same_cluster_only() -> None:
    server = Server()
    kept = [Fact(f"replication slot _cnpg_ledger_frankfurt_{number}", "", "physical") for number in (1, 2, 3)]
    server.inventory = replace(server.inventory, server=(*server.inventory.server, *kept))
    server.document["status"]["instanceNames"] = ["ledger-frankfurt-1", "ledger-frankfurt-2"]
    assert server.found() == [
        ("replication slot _cnpg_ledger_frankfurt_1", "", "critical", True),
        ("replication slot _cnpg_ledger_frankfurt_3", "", "critical", True),
    ]


def test_the_collector_of_backups_receives_the_log_from_its_pod_only() -> None:
    server = Server()
    server.collectors = [
        {"status": {"phase": "Running", "podIP": "10.1.0.9"}},
        {"status": {"phase": "Failed", "podIP": "10.1.0.8"}},
        {"status": {"phase": "Pending"}},
    ]
    names = ("pg_receivewal", "pg_basebackup", "psql")
    server.state(senders=tuple(Sender(name, "streaming_replica", "10.1.0.9") for name in names))
    assert server.found() == []
    server.state(senders=(Sender("pg_receivewal", "streaming_replica", "10.1.0.8"),))
    assert server.found() == [("receiver pg_receivewal", "", "critical", True)]
    server.state(senders=(Sender("pg_receivewal", "postgres", "10.1.0.9"),))
    assert server.found() == [("receiver pg_receivewal", "", "critical", True)]
    server.state(senders=(Sender("ledger-dublin", "streaming_replica", "10.1.0.9"),))
    assert server.found() == [("receiver ledger-dublin", "", "critical", True)]


@pytest.mark.parametrize("synchronous", ["", WAITS])
def test_while_the_witness_says_that_the_ledger_may_be_ahead_it_may_wait_or_not(synchronous: str) -> None:
    server = Server()
    server.standing = replace(STEADY, waits=False)
    server.state(synchronous=synchronous)
    assert server.found() == []


@pytest.mark.requirement("a change of role makes no finding of drift")
@pytest.mark.parametrize(
    "standings",
    [
        [replace(STEADY, moving="an operator holds the pair's lock: drill"), STEADY],
        [STEADY, replace(STEADY, moving="a change is under way (fencing): drill")],
        [STEADY, Standing(PEER, waits=False, revision=8)],
    ],
)
def test_of_roles_nothing_is_said_while_the_pair_moves(standings: list[Standing]) -> None:
    server = Server()
    server.state(in_recovery=True, synchronous="", source="nowhere", senders=())
    server.document["spec"]["replica"]["primary"] = f"ledger-{PEER}"
    server.standings = iter(standings)
    found = server.look()
    assert found.drifts == ()
    assert [each.what for each in found.unseen] == ["roles of the databases"]


def test_what_was_so_in_the_first_look_only_is_no_finding() -> None:
    server = Server()
    server.setting("log_statement", "all")
    server.changing = lambda look: server.setting("log_statement", "none" if look == 2 else "all")
    assert server.found() == []
    assert server.looks == 2


def test_a_follower_that_has_yet_to_let_go_of_whom_it_waited_for_is_no_finding() -> None:
    server = Server(PEER)
    server.changing = lambda look: server.state(synchronous=WAITS if look < 3 else "")
    assert server.found() == []
    assert server.looks == 3


def test_a_right_is_compared_while_the_pair_moves_too() -> None:
    server = Server()
    server.standing = replace(STEADY, moving="an operator holds the pair's lock: drill")
    server.inventory.databases["ledger"] = (
        *server.inventory.databases["ledger"],
        Fact("table ledger.entry", "granted to PUBLIC", "SELECT"),
    )
    assert server.found() == [("ledger: table ledger.entry", "granted to PUBLIC", "high", False)]


def test_a_repair_of_a_server_that_follows_is_named_for_the_one_that_leads() -> None:
    server = Server(PEER)
    server.inventory = replace(
        server.inventory, server=(*server.inventory.server, Fact("role ledger", "member of pg_monitor", "yes"))
    )
    (found,) = server.look().drifts
    assert found.repair == "at the pair's active site, which this one copies: REVOKE pg_monitor FROM ledger"


@pytest.mark.requirement("what cannot be looked at is unknown, never clean")
def test_what_does_not_answer_is_unknown_and_hides_nothing_else() -> None:
    server = Server()
    server.silent = ClusterUnreachableError("frankfurt: no answer\n  from its API")
    found = server.look()
    assert found.drifts == ()
    assert [(each.what, each.why) for each in found.unseen] == [
        ("PostgreSQL ledger-frankfurt", "frankfurt: no answer from its API")
    ]


def test_without_the_witness_only_the_role_is_unknown() -> None:
    server = Server()
    server.setting("ssl", "off")
    server.state(in_recovery=True)
    server.silent_witness = WitnessUnreachableError("no quorum of rdc-a's witness answered")
    assert server.found() == [("setting ssl", "", "critical", True)]
    assert [each.what for each in server.look().unseen] == ["roles of the databases"]


def test_rights_of_another_version_of_the_schema_are_unknown() -> None:
    server = Server()
    server.inventory = replace(server.inventory, version="0003", databases={
        **server.inventory.databases, "ledger": ()
    })  # fmt: skip
    found = server.look()
    assert found.drifts == ()
    assert "version 0003, and this program knows the rights of version 0006" in found.unseen[0].why


def test_a_site_without_databases_asks_nobody() -> None:
    server = Server()
    server.declared = []
    assert server.look() == SiteDrift(SITE)
    assert server.looks == 0


def test_a_look_that_does_not_end_or_fails_is_unknown() -> None:
    def fail() -> SiteDrift:
        raise ValueError("nobody foresaw this")

    found = looking.databases_of(bounded.start(fail, name="look"), SITE, seconds=5)
    assert found.unseen[0].why == "ValueError: nobody foresaw this"
    hanging: Any = type(
        "Hanging", (), {"result": lambda *_: (_ for _ in ()).throw(TimeoutError), "done": lambda _: False}
    )
    found = looking.databases_of(hanging(), SITE, seconds=0.1)
    assert found.unseen[0].what == "the databases"


def test_both_looks_at_a_site_are_one() -> None:
    server = Server()
    server.setting("ssl", "off")
    both = looking.together(SiteDrift(SITE, 3, 4, seconds=1.0), server.look())
    assert (both.declared, len(both.drifts)) == (3, 1)
    assert both.live > 104


@pytest.mark.parametrize("output", ["", "the end", "{}\n[]\n[]\nthe end", "ERROR", '{"rules": []}\n[]\n[]\n[]\n[]\n'])
def test_an_answer_that_is_none_is_not_taken_for_an_empty_server(output: str) -> None:
    with pytest.raises(Exception, match="answered"):
        read_inventory(output, ("postgres", "template1", "ledger"), "frankfurt: data-ledger/ledger-frankfurt-1")
