"""The pair under test, looked at and acted on from outside: witness, databases, names, power, lines, customers."""

import base64
import json
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from command import shopsphere
from customers import CLIENTS
from fences import Fences
from volumes import SmallVolumes

from lab.enter import run_inside
from lab.host import power
from lab.hosts import PSP_PORT, load_hosts
from lab.network import control
from runbooks.databases import all_follow
from runbooks.engine import Journal
from runbooks.pair_access import PairAccess
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.databases import DATABASES, LEDGER, REPLICATION_SECRET, DatabaseModel
from shopsphere.estate.pair_secrets import LEAF_LIFETIME, generate_pair_secrets
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.estate.witness_seats import seats
from shopsphere.foundation.clock import wait_until
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.state_record import read_records
from shopsphere.topology import load_topology
from shopsphere.witness import Sync, WitnessUnreachableError
from shopsphere.witness.access import witness_of
from shopsphere.witness.record import PairRecord


class PairUnderTest:
    """Everything that a run needs to know and do."""

    def __init__(self, name: str) -> None:
        self.topology = load_topology(environment="lab")
        self.pair = self.topology.pair(name)
        self.hosts = load_hosts(self.topology)
        self.witness = witness_of(name, Environment.LAB)
        self.primary, self.recovery = self.pair.sites
        self.client = CLIENTS[name]
        self.voters = seats(self.pair, self.topology)
        self._off: set[str] = set()
        self._were_off: set[str] = set()
        self._links: set[tuple[str, str]] = set()
        self._stopped: set[tuple[str, str]] = set()
        self._spoiled: dict[tuple[str, str], dict[str, str]] = {}
        self._ahead: set[tuple[str, str]] = set()
        self.volumes, self.fences = SmallVolumes(self), Fences()
        self.access = PairAccess(self.topology, self.pair, Environment.LAB, self.witness, role=Role.UP)

    def address(self, site: str) -> str:
        return str(self.topology.site(site).address)

    def other(self, site: str) -> str:
        return self.pair.other_than(site)

    # --- faults -------------------------------------------------------------------------------------------------
    def power_off(self, host: str) -> None:
        for each in self.hosts.together(host):
            power.power_off(each)
        self._off.add(host)
        self._were_off.add(host)

    def may_be_felt_in(self, region: str) -> bool:
        """Whether a site of another region had no power, or as many of its voters that no majority was left."""
        pair = self.topology.pair(region)
        voters = seats(pair, self.topology)
        lost = len(self._were_off.intersection(voters))
        return bool(self._were_off.intersection(pair.sites)) or 2 * (len(voters) - lost) <= len(voters)

    def power_on(self, host: str) -> None:
        shopsphere("lab", "power-on", host)
        self._off.discard(host)

    def cut(self, a: str, b: str, *, one_way: bool = False) -> None:
        control.ask("cut", ways=control.ways_between(self.hosts, a, b, one_way=one_way))
        self._links.add((a, b))

    def lose(self, a: str, b: str, percent: int) -> None:
        control.ask("lose", ways=control.ways_between(self.hosts, a, b), percent=percent)
        self._links.add((a, b))

    def slow(self, a: str, b: str, ms: int) -> None:
        control.ask("slow", ways=control.ways_between(self.hosts, a, b), ms=ms)
        self._links.add((a, b))

    def heal_links(self) -> None:
        for a, b in self._links:
            control.ask("heal", ways=control.ways_between(self.hosts, a, b))
        self._links.clear()

    def signal(self, site: str, pattern: str, name: str) -> None:
        """Send a signal to every process of a host whose command line has the pattern."""
        run_inside(site, ["pkill", f"-{name}", "-f", pattern], check=False)
        if name == "STOP":
            self._stopped.add((site, pattern))
        if name == "CONT":
            self._stopped.discard((site, pattern))

    def spoil_certificates(self, site: str) -> None:
        """Replace what a site's databases show to the other site by certificates that ended, of another authority."""
        made = generate_pair_secrets(self.topology, self.pair, now=datetime.now(UTC) - 2 * LEAF_LIFETIME)
        ended = {"tls.crt": made["replicationCertificate"], "tls.key": made["replicationKey"]}
        data = {key: base64.b64encode(text.encode()).decode() for key, text in ended.items()}
        for database in DATABASES:
            self._spoil(site, database, REPLICATION_SECRET, data)

    def spoil_password(self, site: str) -> None:
        """Give a site's ledger another password than the pair's."""
        spec = self.access.database(site, LEDGER).document()["spec"]["bootstrap"]
        name = (spec.get("initdb") or spec["pg_basebackup"])["secret"]["name"]
        self._spoil(site, LEDGER, name, {"password": base64.b64encode(b"wrong").decode()})

    def _spoil(self, site: str, database: DatabaseModel, name: str, data: dict[str, str]) -> None:
        path = f"/api/v1/namespaces/{database.namespace.name}/secrets/{name}"
        held = self.access.cluster(site).get(path)["data"]
        self._spoiled[site, path] = {key: held[key] for key in data}
        self.access.cluster(site).patch(path, {"data": data})

    def restore_secrets(self) -> None:
        for (site, path), data in list(self._spoiled.items()):
            self.access.cluster(site).patch(path, {"data": data})
            del self._spoiled[site, path]

    def crash_database(self, site: str, database: DatabaseModel) -> None:
        """Kill the postmaster of the instance that leads at a site, as a crash would."""
        cluster, namespace, pod = self.access.database(site, database).leader()
        script = 'read process < "$PGDATA/postmaster.pid" && kill -9 "$process"'  # there is neither bash nor head
        cluster.execute(namespace, pod, "postgres", ["sh", "-c", script])

    def copy_ledger_anew(self, site: str, node: str) -> None:
        """Have repair replace a node's copy of the ledger, as docs/failover.md has it: it has what nobody else has."""
        self._ahead.add((site, node))

    def _copy_anew(self) -> None:
        for site, node in self._ahead:
            shopsphere("lab", "free-volumes", site)  # the new copy is made on a volume of the same node
            cluster, namespace = self.access.cluster(site), LEDGER.namespace.name
            for pod in cluster.items(f"/api/v1/namespaces/{namespace}/pods"):
                if pod["spec"]["nodeName"] == node and "cnpg.io/instanceName" in pod["metadata"]["labels"]:
                    for kind in ("persistentvolumeclaims", "pods"):
                        cluster.delete(f"/api/v1/namespaces/{namespace}/{kind}/{pod['metadata']['name']}")
        self._ahead.clear()

    # --- looking ------------------------------------------------------------------------------------------------
    def record(self) -> PairRecord:
        found = self.witness.see().record
        assert found is not None, f"the witness has no record of {self.pair.name}"
        return found

    def has_unfinished_run(self) -> bool:
        return Journal.unfinished(records_directory(Environment.LAB), pair=self.pair.name) is not None

    def ask(self, site: str, database: str, statement: str) -> list[str]:
        """Rows of one column, asked inside the site's database pod."""
        done = shopsphere("lab", "psql", site, database, "--", "-XAt", "-c", statement, seconds=90)
        return done[1].split()

    def charges(self) -> list[str]:
        """Idempotency keys of what the payment provider charged for this pair, today and yesterday."""
        now, keys = datetime.now(UTC), list[str]()
        books = f"http://{self.hosts.host('psp').address}:{PSP_PORT}/accounts/{self.pair.name}"
        for day in (now - timedelta(days=1), now):
            after: str | None = ""
            while after is not None:
                question = f"v1/settlements/{day:%Y-%m-%d}?{urlencode({'after': after})}"
                page = json.loads(run_inside("psp", ["curl", "-sS", "--fail", f"{books}/{question}"]).stdout)
                keys += [line["key"] for line in page["lines"]]
                after = page["next"]
        return keys

    def timeline(self, site: str) -> int:
        return int(self.ask(site, "ledger", "select timeline_id from pg_control_checkpoint()")[0])

    def names(self) -> dict[str, object]:
        """(epoch, active) as each DNS authority shows it."""
        declaration = self.access.declaration()
        found: dict[str, object] = {}
        for authority in self.access.authorities():
            try:
                state = declaration.valid(read_records([authority], declaration)[authority.name])
                found[authority.name] = (state.epoch, state.active) if state and not state.leaving else None
            except Exception as error:  # noqa: BLE001 whatever a dead authority answers
                found[authority.name] = type(error).__name__
        return found

    def follows(self, leader: str, follower: str) -> bool:
        """Whether both databases stream from the leader."""
        with suppress(ShopSphereError):
            return all_follow(self.access, leader, follower)
        return False

    def leads(self, site: str) -> bool | None:
        with suppress(ShopSphereError):
            return not any(self.access.database(site, each).is_standby() for each in DATABASES)
        return False

    def is_steady(self) -> bool:
        """Active site with the lease, both databases followed, and the witness says that nothing would be lost."""
        try:
            seen = self.witness.see()
        except WitnessUnreachableError:
            return False
        assert seen.record is not None
        active = seen.record.active
        if seen.record.sync is not Sync.ON or seen.lease_holder != active:
            return False
        return self.follows(active, self.other(active)) and all(map(self.is_whole, self.pair.sites))

    def is_whole(self, site: str) -> bool:
        """Whether every instance of both databases of a site is ready: of two one may be copied still."""
        with suppress(ShopSphereError):
            found = [self.access.database(site, each).document() for each in DATABASES]
            return all(each["status"].get("readyInstances") == each["spec"]["instances"] for each in found)
        return False

    # --- acting -------------------------------------------------------------------------------------------------
    def failover(self, kind: str, to: str, *words: str, **options: Any) -> tuple[int, str, float]:
        return shopsphere(
            "failover", self.pair.name, f"--{kind}", "--to", to, "--execute", "--reason", "bench", *words, **options
        )

    def wait_for_lock(self) -> None:
        """Wait until the lock of an operator who died has run out."""
        wait_until(lambda: self.witness.locked_by() is None, what="the dead operator's lock", seconds=60)

    def undo(self) -> None:
        """Take back every fault that this process caused."""
        self.heal_links()
        self.fences.restore()
        self.restore_secrets()
        self.volumes.lift_limits()
        for site, pattern in list(self._stopped):
            self.signal(site, pattern, "CONT")
        for host in sorted(self._off, key=lambda each: each not in self.topology.sites):  # a node needs its site's API
            self.power_on(host)
        self._were_off.clear()

    def repair(self) -> float:
        """Bring power and lines back, make a lost site a copy again; returns what it took in seconds."""
        began = time.monotonic()
        self.undo()
        wait_until(lambda: self._quorum(), what="the witness", seconds=60)
        self._finish()
        active = self.record().active
        passive = self.other(active)
        wait_until(lambda: self.leads(active), what=f"{active} to lead", seconds=300, interval=1)
        if self._was_left(active, passive):
            self.rebuild(passive)
        self._copy_anew()
        wait_until(self.is_steady, what="a steady pair", seconds=300, interval=1)
        return time.monotonic() - began

    def rebuild(self, site: str) -> None:
        """Make a site a copy of the active one, on volumes that earlier rebuilds have kept: nobody looks at those."""
        shopsphere("lab", "free-volumes", site)
        shopsphere("rebuild", site, "--execute", "--reason", "bench", seconds=900)

    def _finish(self) -> None:
        """Go on with a run that was stopped, as its operator would."""
        left = Journal.unfinished(records_directory(Environment.LAB), pair=self.pair.name)
        if left is None:
            return
        self.wait_for_lock()
        target = str(left.values.get("target", ""))
        if left.facts.runbook == "failover":
            self.failover(str(left.facts.variant), target)
        elif left.facts.runbook == "rebuild":
            self.rebuild(target)

    def _quorum(self) -> bool:
        with suppress(ShopSphereError):
            return self.witness.see().record is not None
        return False

    def _was_left(self, active: str, passive: str) -> bool:
        """Whether the passive site is a primary of its own past, or cannot follow by itself.

        One that has more than the site that leads connects anew every 5 s, and is seen to stream for a moment then.
        """
        until, followed = time.monotonic() + 240, 0
        while time.monotonic() < until:
            followed = followed + 1 if self.follows(active, passive) else 0
            if followed > 6:
                return False
            try:
                document = self.access.database(passive, LEDGER).document()
                if document["spec"]["replica"]["primary"] == LEDGER.cluster(passive):
                    return True
            except ShopSphereError:
                pass  # still starting
            time.sleep(1)
        return True
