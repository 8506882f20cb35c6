"""The steps of failover and rebuild on a pair made of plain values: what they refuse, and in which order they go."""

import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from instance_files import instance_files
from kubernetes.client.exceptions import ApiException
from present import present

from lab.site_agent import witness_urls
from runbooks.change import PLANNED, UNPLANNED, RoleChange
from runbooks.databases import EndOfStream, await_last_record, begin_demotion, last_record
from runbooks.engine import Runbook, Step
from runbooks.engine.errors import BlockedError
from runbooks.operate import ABORT, FAILOVER, FOLDER, REBUILD, Request, steps_of
from shopsphere.clients.cluster import ClusterUnreachableError
from shopsphere.clients.edge_errors import EdgeError
from shopsphere.clients.postgres import FENCE
from shopsphere.clients.powerdns import RRset
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Sync

VARIANTS = {FAILOVER: (PLANNED, UNPLANNED), REBUILD: (None,), ABORT: (None,)}


def runbook(name: str, variant: str | None = None) -> Runbook:
    return steps_of(Request(name, "rdc-a", Environment.LAB, variant, "", "test", accept_data_loss=False))


def step(name: str, number: int) -> Step:
    return next(each for each in runbook(name).steps if each.number == number)


def record(**values: Sync | int | str) -> PairRecord:
    return PairRecord.first("rdc-a", "frankfurt", actor="test").changed(
        actor="test", reason="test", **{"sync": Sync.ON, **values}
    )


def database(site: str, one: DatabaseModel, *, primary: str = "frankfurt", ready: int = 1) -> dict[str, Any]:
    own, leader = one.cluster(site), one.cluster(primary)
    return {
        "metadata": {"name": own, "namespace": one.namespace.name, "resourceVersion": "1"},
        "spec": {
            "replica": {"self": own, "primary": leader},
            "storage": {"pvcTemplate": {"selector": {"matchLabels": {"shopsphere.io/data-class": "payment"}}}},
            "certificates": {"serverTLSSecret": "server"},
            "bootstrap": {"pg_basebackup": {"secret": {"name": "login"}}},
        },
        "status": {"readyInstances": ready},
    }


def secrets(password: str = "c2FtZQ==") -> list[dict[str, dict[str, str]]]:
    """Those of both databases that the documents name."""
    names = ("server", "login")
    places = [{"namespace": one.namespace.name, "name": name} for one in DATABASES for name in names]
    return [{"metadata": place, "data": {"password": password}} for place in places]


class Change:
    """In place of a RoleChange from Frankfurt to Dublin."""

    pair = SimpleNamespace(name="rdc-a")
    source, target, epoch, variant, accept_data_loss, reason = "frankfurt", "dublin", 1, UNPLANNED, False, "test"

    def __init__(self, **values: Any) -> None:
        self.record, self.ready, self.primary = record(), 1, "frankfurt"
        self.secrets = {site: secrets() for site in ("frankfurt", "dublin")}
        self.__dict__.update(values)

    def see(self) -> tuple[SimpleNamespace, PairRecord]:
        return SimpleNamespace(record=self.record), self.record

    def last_seen(self) -> tuple[SimpleNamespace, PairRecord]:
        return self.see()

    def recall(self, _key: str) -> None:
        return None

    def is_moved(self, record: PairRecord) -> bool:
        return record.active == self.target

    def moved(self) -> bool:
        return self.is_moved(self.record)

    def database(self, site: str, one: DatabaseModel) -> dict[str, Any]:
        return database(site, one, primary=self.primary, ready=self.ready)

    def each_database(self, action: Callable[[DatabaseModel], Any]) -> list[Any]:
        return [action(one) for one in DATABASES]

    def cluster(self, site: str) -> SimpleNamespace:
        return SimpleNamespace(items=lambda *_path, **_query: self.secrets[site])


@pytest.mark.requirement("runbooks are numbered step files with check, act and verify")
@pytest.mark.parametrize("name", [FAILOVER, REBUILD, ABORT])
def test_every_file_is_a_step_of_some_variant(name: str) -> None:
    loaded = runbook(name)
    files = [file for file in (FOLDER / name).glob("*.py") if file.name != "__init__.py"]
    chosen = {each.name for variant in VARIANTS[name] for each in loaded.select(variant)}
    assert chosen == {file.stem for file in files}


@pytest.mark.requirement("nothing is promoted before the epoch, and no epoch begins before the lease is gone")
@pytest.mark.parametrize("variant", [PLANNED, UNPLANNED])
def test_the_order_that_safety_rests_on(variant: str) -> None:
    names = [each.name.split("-", 1)[1] for each in runbook(FAILOVER).select(variant)]
    order = ["announce-change", "advance-epoch", "wait-for-agent", "promote-databases", "open-writes"]
    assert [name for name in names if name in order] == order


@pytest.mark.requirement("the voters' addresses in the edge's configuration are those that the lab starts")
def test_committed_witness_addresses() -> None:
    topology = load_topology()
    committed = yaml.safe_load((REPOSITORY / "lab.base.yaml").read_text())["config"]["status:witness"]
    assert committed == {name: list(witness_urls(pair, topology)) for name, pair in topology.pairs.items()}


@pytest.mark.requirement("--accept-data-loss only where the witness says that payments may be lost")
def test_what_would_be_lost() -> None:
    look = step(FAILOVER, 2)
    look.check.__globals__["instance"] = lambda *_: {"in_recovery": False}
    assert "payments: nothing" in look.check(Change())
    with pytest.raises(BlockedError, match="--accept-data-loss"):
        look.check(Change(record=record(sync=Sync.OFF)))
    assert "PAYMENTS" in look.check(Change(record=record(sync=Sync.OFF), accept_data_loss=True))
    assert "nothing is lost" in look.check(Change(record=record(sync=Sync.OFF), variant=PLANNED))


@pytest.mark.requirement("a planned change does not lead to a site that the shop cannot log in at")
def test_secrets_that_differ() -> None:
    look = step(FAILOVER, 2)
    look.check.__globals__["instance"] = lambda *_: {"in_recovery": False}
    other = {"frankfurt": secrets(), "dublin": secrets("b3RoZXI=")}
    assert "nothing is lost" in look.check(Change(variant=PLANNED))
    with pytest.raises(BlockedError, match=r"log in at dublin: .*data-ledger/login differs(.|\n)*shopsphere up"):
        look.check(Change(variant=PLANNED, secrets=other))
    with pytest.raises(BlockedError, match="data-commerce/login is not at dublin"):
        look.check(Change(variant=PLANNED, secrets=other | {"dublin": []}))
    begun = Change(variant=PLANNED, secrets=other, recall={"before-ledger": ""}.get)
    assert "nothing is lost" in look.check(begun), "the way is not stopped in the middle"
    assert "payments: nothing" in look.check(Change(secrets=other)), "the old site may be dead"


@pytest.mark.requirement("a change that another machine began and did not finish is not taken for a finished one")
def test_an_active_site_that_takes_no_writes_is_not_left_in_order() -> None:
    look = step(FAILOVER, 2)
    look.check.__globals__["instance"] = lambda *_: {"in_recovery": True}
    with pytest.raises(BlockedError, match="--unplanned --to frankfurt` finishes it"):
        look.check(Change(variant=PLANNED))
    assert look.check(Change(variant=PLANNED, recall=lambda key: {"before-ledger": ""}.get(key)))


@pytest.mark.requirement("a site that has nothing to promote, or does not follow, is refused")
@pytest.mark.parametrize(
    ("values", "message"), [({"ready": 0}, "no instance is ready"), ({"primary": "dublin"}, "does not follow")]
)
def test_a_target_that_cannot_take_over(values: dict[str, int | str], message: str) -> None:
    with pytest.raises(BlockedError, match=message):
        step(FAILOVER, 2).check(Change(**values))


def test_a_resumed_run_is_not_stopped_by_what_it_did_itself() -> None:
    done = Change(record=record(epoch=2, active="dublin", sync=Sync.OFF), primary="dublin")
    assert step(FAILOVER, 2).verify(done)
    assert step(FAILOVER, 3).verify(done)
    assert step(FAILOVER, 5).verify(done)


class Authority:
    def __init__(self, name: str, *, dead: bool = False) -> None:
        self.name, self.dead = name, dead
        self.held: RRset | None = None

    def rrset(self, *_which: str) -> RRset | None:
        if self.dead:
            raise EdgeError(f"{self.name} does not answer")
        return self.held

    def replace(self, _zone: str, rrsets: list[RRset]) -> None:
        (self.held,) = rrsets


def names_change(*authorities: Authority) -> tuple[Change, PairDeclaration]:
    declaration = PairDeclaration(
        zone="shopsphere.test.", pair="rdc-a", primary="frankfurt", recovery="dublin",
        addresses={"frankfurt": "10.99.0.11", "dublin": "10.99.0.12"}, active_weight=100, passive_weight=0, ttl=5,
    )  # fmt: skip
    return Change(authorities=lambda: authorities, declaration=lambda: declaration), declaration


@pytest.mark.requirement("a dead DNS authority does not keep the others from following the epoch")
def test_names_move_without_a_dead_authority() -> None:
    one, dead = Authority("ns1"), Authority("ns2", dead=True)
    change, declaration = names_change(one, dead)
    move = step(FAILOVER, 8)
    assert not move.verify(change)
    move.act(change)
    assert declaration.valid(one.held) == PairState(2, "dublin")
    assert move.verify(change)


@pytest.mark.requirement("readers are led away before the databases go; taken back, they return")
@pytest.mark.parametrize("variant", [PLANNED, UNPLANNED])
def test_readers_are_led_away_first(variant: str) -> None:
    one, dead = Authority("ns1"), Authority("ns2", dead=True)
    change, declaration = names_change(one, dead)
    change.__dict__ |= {"variant": variant, "change": lambda *_words, **_values: None}
    step(FAILOVER, 3).act(change)
    assert declaration.valid(one.held) == PairState(1, "frankfurt", leaving=True)
    assert "{0,'10.99.0.11','frankfurt'},{100,'10.99.0.12','dublin'}" in present(one.held).records[0]
    end = step(ABORT, 3)
    assert not end.verify(change)
    end.act(change)
    assert declaration.valid(one.held) == PairState(1, "frankfurt")
    assert end.verify(change)


def test_no_authority_at_all_stops_the_run() -> None:
    change, _ = names_change(Authority("ns1", dead=True), Authority("ns2", dead=True))
    with pytest.raises(BlockedError, match="no DNS authority"):
        step(FAILOVER, 8).act(change)
    assert not step(FAILOVER, 8).verify(change)


@pytest.mark.requirement("the active site is never rebuilt")
def test_rebuild_of_the_active_site() -> None:
    with pytest.raises(BlockedError, match="dublin is active"):
        step(REBUILD, 1).check(Change(record=record(active="dublin")))


@pytest.mark.requirement("past the point of no return nothing can be taken back, and the refusal says what to do")
def test_too_late_to_take_back() -> None:
    moved = record(active="dublin", epoch=2)
    with pytest.raises(BlockedError, match="forward only"):
        step(ABORT, 1).check(Change(record=moved))
    assert "stays active" in step(ABORT, 1).check(Change())


def test_what_would_be_restored() -> None:
    assert "none, they still lead" in step(ABORT, 2).check(Change(primary="frankfurt"))
    demoted = step(ABORT, 2).check(Change(primary="dublin"))
    assert "commerce-frankfurt, ledger-frankfurt" in demoted


TOKEN = base64.b64encode(b'{"latestCheckpointTimelineID":"8","latestCheckpointREDOLocation":"0/C0C55D0"}').decode()


def test_where_a_demoted_database_ended() -> None:
    assert last_record(TOKEN) == "0/C0C55D0"


@pytest.mark.parametrize("token", ["", "abc", base64.b64encode(b"{}").decode(), None])
def test_what_is_no_token_is_said(token: str | None) -> None:
    with pytest.raises(ShopSphereError, match="no demotion token"):
        last_record(token or "")


def test_a_place_in_the_wal_is_nothing_else() -> None:
    hostile = base64.b64encode(b'{"latestCheckpointREDOLocation":"0/0\'); DROP TABLE x"}').decode()
    with pytest.raises(ShopSphereError, match="no place in the WAL"):
        last_record(hostile)


@pytest.mark.requirement("an active site has ended only when it can start again as a replica and no other way")
@pytest.mark.parametrize(
    ("state", "marked", "token", "found"),
    [
        ("shut down", "yes", "old", "0/C0C55D0"),
        ("shut down", "no", "old", ""),  # a restart for another reason
        ("in production", "yes", "old", ""),
        ("shutting down", "yes", "old", ""),
        ("in archive recovery", "yes", TOKEN, "0/C0C55D0"),
        ("in archive recovery", "yes", "old", ""),
    ],
)
def test_when_a_database_has_ended(state: str, marked: str, token: str, found: str) -> None:
    document = database("frankfurt", DATABASES[0], primary="dublin")
    document["status"] |= {"demotionToken": token}
    site = SimpleNamespace(execute=lambda *_, **__: instance_files(state, marked=marked, redo="0/C0C55D0"))
    change = Change(database=lambda *_: document, cluster=lambda _site: site)
    assert await_last_record(cast("RoleChange", change), DATABASES[0], before="old") == found


class Cluster:
    """In place of one database's cluster: changes only the version that was named, and may be changed by others."""

    def __init__(self, *others: str, leader: str = "frankfurt") -> None:
        self.leader, self.version, self.others = leader, 1, list(others)
        self.kept: list[tuple[str, DatabaseModel, dict[str, Any]]] = []

    def document(self, *_which: str | DatabaseModel) -> dict[str, Any]:
        found = database("frankfurt", DATABASES[0], primary=self.leader)
        found["metadata"]["resourceVersion"] = str(self.version)
        return found

    def patch(self, site: str, one: DatabaseModel, changes: dict[str, Any], *, version: str) -> None:
        if self.others:
            self.leader, self.version = self.others.pop(0), self.version + 1
        if version != str(self.version):
            raise ClusterUnreachableError("409") from ApiException(status=409)
        self.kept.append((site, one, changes))


@pytest.mark.requirement("a demotion can be begun again at any point, and leaves no fence behind")
@pytest.mark.parametrize(
    ("cluster", "patches"),
    [
        (Cluster(), 1),
        (Cluster("frankfurt", "frankfurt"), 1),  # its operator noted something meanwhile
        (Cluster(leader="dublin"), 0),
        (Cluster("frankfurt", "dublin"), 0),  # an earlier request of ours was slow
    ],
)
def test_a_fence_is_set_only_with_the_demotion_that_lifts_it(cluster: Cluster, patches: int) -> None:
    change = Change(patch=cluster.patch, database=cluster.document)
    begin_demotion(cast("RoleChange", change), DATABASES[0], cluster.document())
    assert len(cluster.kept) == patches
    for site, one, changes in cluster.kept:
        assert (site, one) == ("frankfurt", DATABASES[0])
        assert changes["metadata"]["annotations"] == {FENCE: '["*"]'}
        assert changes["spec"]["replica"]["primary"] == DATABASES[0].cluster("dublin")


def test_a_demotion_that_others_keep_from_beginning_ends() -> None:
    cluster = Cluster(*["frankfurt"] * 100)
    with pytest.raises(ClusterUnreachableError):
        begin_demotion(
            cast("RoleChange", Change(patch=cluster.patch, database=cluster.document)), DATABASES[0], cluster.document()
        )


@pytest.mark.requirement("a planned change promotes nothing before the last record of the old site is there")
@pytest.mark.parametrize("known", [{}, {"last-commerce": "0/C0C55D0", "last-ledger": "0/C0C55D0"}])
@pytest.mark.parametrize("seen_at_end", [False, True])
def test_the_last_record_is_waited_for(known: dict[str, str], seen_at_end: bool) -> None:
    one, kept = step(FAILOVER, 4), dict(known)
    events: list[str | bool] = []
    received = iter([False, False, True] * len(DATABASES))
    change = Change(
        variant=PLANNED, recall=kept.get, remember=lambda key, value: kept.update({key: value}),
        patch=lambda *_, **__: events.append("demoted"),
    )  # fmt: skip
    names = one.act.__globals__
    names["await_last_record"] = lambda *_, **__: "0/C0C55D0"
    names["kick"] = lambda *_: None
    names["EndOfStream"] = lambda *_: SimpleNamespace(is_beyond=lambda _location: seen_at_end)

    def has_received(*_: object) -> bool:
        events.append(next(received))
        return events[-1] is True

    names["has_received"] = has_received
    assert not one.verify(change)
    one.act(change)
    waited = [] if seen_at_end else [False, False, True]
    assert events == [*([] if known else ["demoted"]), *waited] * len(DATABASES)
    assert one.verify(change)


@pytest.mark.requirement("a planned change promotes nothing before the last record of the old site is there")
@pytest.mark.parametrize(
    ("answer", "beyond"),
    [
        ('{"value": "0/C0C5648"}', True),
        ('{"value": "1/0"}', True),
        ('{"value": "0/C0C55D0"}', False),  # the record that begins there is not there
        ('{"value": "0/9"}', False),
        ('{"value": null}', False),
        ("psql: error", False),
    ],
)
def test_how_far_the_stream_came(answer: str, beyond: bool) -> None:
    site = SimpleNamespace(context="dublin", execute=lambda *_, **__: answer)
    stream = EndOfStream(cast("RoleChange", Change(cluster=lambda _site: site)), DATABASES[0])
    assert stream.is_beyond("0/C0C55D0") is beyond
