"""The steps of failover and rebuild on a pair made of plain values: what they refuse, and in which order they go."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from instance_files import instance_files
from present import present

from runbooks.change import PLANNED, UNPLANNED, RoleChange
from runbooks.cluster_change import BusyError
from runbooks.databases import HEARS_AFTER, begin_demotion
from runbooks.engine import Runbook, Step
from runbooks.engine.errors import BlockedError
from runbooks.last_record import EndOfStream, await_last_record, last_record
from runbooks.operate import ABORT, FAILOVER, FOLDER, REBUILD, Request, steps_of
from runbooks.pair_access import PairAccess
from runbooks.site_database import SiteDatabase
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import ConflictError
from shopsphere.clients.edge_errors import CredentialError, EdgeError
from shopsphere.clients.postgres import FENCE, cluster_path
from shopsphere.clients.powerdns import DnsAuthority, RRset
from shopsphere.estate.databases import DATABASES, DatabaseModel
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.names.pair_state import PairDeclaration, PairState
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Phase, Sync, Witness
from shopsphere.witness.seen import Seen

TOPOLOGY = load_topology()
VARIANTS = {FAILOVER: (PLANNED, UNPLANNED), REBUILD: (None,), ABORT: (None,)}


def runbook(name: str, variant: str | None = None) -> Runbook:
    return steps_of(Request(name, "rdc-a", Environment.LAB, variant, "", "test", accept_data_loss=False))


def replace_names(function: Any, **others: object) -> None:
    """Let a step, which was loaded for this test alone, find these in place of what it imports."""
    assert others.keys() <= function.__globals__.keys(), "a name that the step does not have any more"
    function.__globals__.update(others)


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


class Site:
    """In place of a site's Cluster, with both databases; every answer may be changed."""

    def __init__(self, name: str, pair: Pair) -> None:
        self.context, self.pair, self.files = name, pair, ""

    def get(self, path: str) -> Document:
        for one in DATABASES:
            if path == cluster_path(one.namespace.name, one.cluster(self.context)):
                return database(self.context, one, primary=self.pair.primary, ready=self.pair.ready)
        raise AssertionError(path)

    def items(self, _path: str, **_query: str) -> list[Document]:
        return self.pair.secrets[self.context]

    def execute(self, *_words: object, **_bounds: object) -> str:
        said = {"in_recovery": self.pair.in_recovery, "value": self.pair.hears}
        return self.pair.said.get(self.context, json.dumps(said))


class Pair(PairAccess):
    """The ways to a pair that is made of plain values."""

    def __init__(self, **values: Any) -> None:
        super().__init__(TOPOLOGY, TOPOLOGY.pair("rdc-a"), Environment.LAB, cast("Witness", self))
        self.record, self.ready, self.primary, self.in_recovery = record(), 1, "frankfurt", False
        self.hears, self.has_no_certificate = True, False
        self.secrets = {site: secrets() for site in ("frankfurt", "dublin")}
        self.said: dict[str, str] = {}
        self.sites: dict[str, Any] = {site: Site(site, self) for site in ("frankfurt", "dublin")}
        self.dns: tuple[Authority, ...] = ()
        self.signed: list[PairRecord] = []
        self.__dict__.update(values)

    def see(self) -> Seen:
        return Seen(self.record, 1, "")

    def attempt(self, seen: Seen, record: PairRecord, **_conditions: bool) -> tuple[bool, Seen]:
        self.signed.append(record)
        return True, seen

    def cluster(self, site: str) -> Cluster:
        return cast("Cluster", self.sites[site])

    def authority_names(self) -> list[str]:
        return [each.name for each in self.dns]

    def authorities(self) -> list[DnsAuthority]:
        if self.has_no_certificate:
            raise CredentialError("the certificate of runbooks cannot be used")
        return cast("list[DnsAuthority]", list(self.dns))

    def declaration(self) -> PairDeclaration:
        return DECLARATION


class Memory:
    """In place of a journal."""

    def __init__(self, **kept: object) -> None:
        self.kept = {key.replace("_", "-"): value for key, value in kept.items()}

    def recall(self, key: str) -> object:
        return self.kept.get(key)

    def remember(self, key: str, value: object) -> None:
        self.kept[key] = value


def change(pair: Pair | None = None, **values: Any) -> RoleChange:
    """From Frankfurt to Dublin, unplanned unless said otherwise."""
    facts = {
        "source": "frankfurt", "target": "dublin", "epoch": 1, "variant": UNPLANNED, "actor": "anna", "reason": "test",
    }  # fmt: skip
    return RoleChange(access=pair or Pair(), **{**facts, **values})


@pytest.mark.requirement("a change is always one between the pair's two sites, in an epoch that there can be")
@pytest.mark.parametrize(
    "wrong", [{"epoch": 0}, {"source": "dublin"}, {"target": "ashburn"}, {"source": "dublin", "target": "dublin"}]
)
def test_what_is_no_change_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ShopSphereError, match="from one of frankfurt and dublin to the other"):
        change(**wrong)


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


@pytest.mark.requirement("--accept-data-loss only where the witness says that payments may be lost")
def test_what_would_be_lost() -> None:
    look, off = step(FAILOVER, 2), Pair(record=record(sync=Sync.OFF))
    assert "payments: nothing" in look.check(change())
    with pytest.raises(BlockedError, match="--accept-data-loss"):
        look.check(change(off))
    assert "PAYMENTS" in look.check(change(off, accept_data_loss=True))
    assert "nothing is lost" in look.check(change(off, variant=PLANNED))


@pytest.mark.requirement("a planned change does not lead to a site that the shop cannot log in at")
def test_secrets_that_differ() -> None:
    look, other = step(FAILOVER, 2), {"frankfurt": secrets(), "dublin": secrets("b3RoZXI=")}
    assert "nothing is lost" in look.check(change(variant=PLANNED))
    with pytest.raises(BlockedError, match=r"log in at dublin: .*data-ledger/login differs(.|\n)*shopsphere up"):
        look.check(change(Pair(secrets=other), variant=PLANNED))
    with pytest.raises(BlockedError, match="data-commerce/login is not at dublin"):
        look.check(change(Pair(secrets=other | {"dublin": []}), variant=PLANNED))
    begun = change(Pair(secrets=other), variant=PLANNED, journal=Memory(before_ledger=""))
    assert "nothing is lost" in look.check(begun), "the way is not stopped in the middle"
    assert "payments: nothing" in look.check(change(Pair(secrets=other))), "the old site may be dead"


@pytest.mark.requirement("customers do not wait for databases that would not hear of their promotion")
def test_databases_that_restarted_are_waited_for_before_customers_wait() -> None:
    look, deaf = step(FAILOVER, 2), Pair(hears=False)
    assert not look.verify(change(deaf, variant=PLANNED))
    assert "first it is waited" in look.check(change(deaf, variant=PLANNED))
    assert look.verify(change(deaf)), "an unplanned move: customers wait already"
    begun = change(deaf, variant=PLANNED, journal=Memory(before_ledger=""))
    assert look.verify(begun), "they wait already, as the demotion has begun"
    moved = Pair(record=record(epoch=2, active="dublin"), hears=False, primary="dublin")
    assert look.verify(change(moved, variant=PLANNED))
    deaf.hears = True
    assert look.verify(change(deaf, variant=PLANNED))
    assert "waited" not in look.check(change(deaf, variant=PLANNED)).replace("waits for the last row", "")
    assert look.seconds > HEARS_AFTER


@pytest.mark.requirement("a change that another machine began and did not finish is not taken for a finished one")
def test_an_active_site_that_takes_no_writes_is_not_left_in_order() -> None:
    look, standing = step(FAILOVER, 2), Pair(in_recovery=True)
    with pytest.raises(BlockedError, match="--unplanned --to frankfurt` finishes it"):
        look.check(change(standing, variant=PLANNED))
    assert look.check(change(standing, variant=PLANNED, journal=Memory(before_ledger="")))


@pytest.mark.requirement("a site that has nothing to promote, or does not follow, is refused")
@pytest.mark.parametrize(
    ("values", "message"), [({"ready": 0}, "no instance is ready"), ({"primary": "dublin"}, "does not follow")]
)
def test_a_target_that_cannot_take_over(values: dict[str, int | str], message: str) -> None:
    with pytest.raises(BlockedError, match=message):
        step(FAILOVER, 2).check(change(Pair(**values)))


@pytest.mark.requirement("a copy that is rewound in part is never promoted")
@pytest.mark.parametrize("fence", ['["ledger-dublin-1"]', '["*"]'])
@pytest.mark.parametrize("ready", [0, 1])
def test_a_target_that_is_rewound_in_part(monkeypatch: pytest.MonkeyPatch, fence: str, ready: int) -> None:
    whole = database

    def fenced(site: str, one: DatabaseModel, **values: Any) -> dict[str, Any]:
        found = whole(site, one, **values)
        found["metadata"]["annotations"] = {FENCE: fence} if one.name == "ledger" else {}
        return found

    monkeypatch.setitem(globals(), "database", fenced)
    with pytest.raises(
        BlockedError, match=r"(?s)ledger-dublin is fenced at dublin, and may be rewound in part.*rebuild dublin"
    ):
        step(FAILOVER, 2).check(change(Pair(ready=ready)))
    fence = '["ledger-dublin-2"]'
    if ready:
        assert step(FAILOVER, 2).check(change(Pair(ready=ready)))


def test_a_resumed_run_is_not_stopped_by_what_it_did_itself() -> None:
    done = change(Pair(record=record(epoch=2, active="dublin", sync=Sync.OFF), primary="dublin"))
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


DECLARATION = PairDeclaration(
    zone="shopsphere.test.", pair="rdc-a", primary="frankfurt", recovery="dublin",
    addresses={"frankfurt": "10.99.0.11", "dublin": "10.99.0.12"}, active_weight=100, passive_weight=0, ttl=5,
)  # fmt: skip


@pytest.mark.requirement("a certificate that names cannot be moved with is told before a site is shut off, never after")
def test_names_without_a_certificate() -> None:
    pair = Pair(dns=(Authority("ns1"), Authority("ns2")), has_no_certificate=True)
    moved = change(pair)
    with pytest.raises(CredentialError):
        step(FAILOVER, 1).check(moved)
    present(step(FAILOVER, 3).act)(moved)
    assert [each.phase for each in pair.signed] == [Phase.FENCING]
    with pytest.raises(BlockedError, match="no DNS authority took the change: ns1: the certificate of runbooks"):
        present(step(FAILOVER, 8).act)(moved)
    assert not step(FAILOVER, 8).verify(moved)
    assert "at ns1, ns2" in step(FAILOVER, 8).check(moved)


@pytest.mark.requirement("a dead DNS authority does not keep the others from following the epoch")
def test_names_move_without_a_dead_authority() -> None:
    one, dead = Authority("ns1"), Authority("ns2", dead=True)
    moved, move = change(Pair(dns=(one, dead))), step(FAILOVER, 8)
    assert not move.verify(moved)
    present(move.act)(moved)
    assert DECLARATION.valid(one.held) == PairState(2, "dublin")
    assert move.verify(moved)


@pytest.mark.requirement("readers are led away before the databases go; taken back, they return")
@pytest.mark.parametrize("variant", [PLANNED, UNPLANNED])
def test_readers_are_led_away_first(variant: str) -> None:
    one, dead = Authority("ns1"), Authority("ns2", dead=True)
    pair = Pair(dns=(one, dead))
    moved = change(pair, variant=variant)
    present(step(FAILOVER, 3).act)(moved)
    assert pair.signed[-1].phase is {PLANNED: Phase.DRAINING, UNPLANNED: Phase.FENCING}[variant]
    if variant == PLANNED:
        demote = step(FAILOVER, 4)
        # The databases of this pair have ended: the names are led away beside the hand-over.
        replace_names(demote.act, _hand_over=lambda _change, _database: None)
        present(demote.act)(moved)
    assert DECLARATION.valid(one.held) == PairState(1, "frankfurt", leaving=True)
    assert "{0,'10.99.0.11','frankfurt'},{100,'10.99.0.12','dublin'}" in present(one.held).records[0]
    end = step(ABORT, 3)
    assert not end.verify(moved)
    present(end.act)(moved)
    assert pair.signed[-1].phase is Phase.STEADY
    assert DECLARATION.valid(one.held) == PairState(1, "frankfurt")
    assert end.verify(moved)


def test_no_authority_at_all_stops_the_run() -> None:
    moved = change(Pair(dns=(Authority("ns1", dead=True), Authority("ns2", dead=True))))
    with pytest.raises(BlockedError, match="no DNS authority"):
        present(step(FAILOVER, 8).act)(moved)
    assert not step(FAILOVER, 8).verify(moved)


@pytest.mark.requirement("the active site is never rebuilt")
def test_rebuild_of_the_active_site() -> None:
    with pytest.raises(BlockedError, match="dublin is active"):
        step(REBUILD, 1).check(change(Pair(record=record(active="dublin"))))


@pytest.mark.requirement("past the point of no return nothing can be taken back, and the refusal says what to do")
def test_too_late_to_take_back() -> None:
    moved = record(active="dublin", epoch=2)
    with pytest.raises(BlockedError, match="from here on it cannot be taken back"):
        step(ABORT, 1).check(change(Pair(record=moved)))
    assert "stays active" in step(ABORT, 1).check(change())


def test_what_would_be_restored() -> None:
    assert "none, they still lead" in step(ABORT, 2).check(change(Pair(primary="frankfurt")))
    demoted = step(ABORT, 2).check(change(Pair(primary="dublin")))
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
    site = SimpleNamespace(
        get=lambda _path: document, execute=lambda *_, **__: instance_files(state, marked=marked, redo="0/C0C55D0")
    )
    ended = SiteDatabase(DATABASES[0], "frankfurt", cast("Cluster", site))
    assert await_last_record(ended, document, before="old") == found


class ChangingCluster:
    """In place of one database's cluster: changes only the version that was named, and may be changed by others."""

    def __init__(self, *others: str, leader: str = "frankfurt") -> None:
        self.leader, self.version, self.others = leader, 1, list(others)
        self.kept: list[tuple[str, Document]] = []

    def get(self, _path: str = "") -> Document:
        found = database("frankfurt", DATABASES[0], primary=self.leader)
        found["metadata"]["resourceVersion"] = str(self.version)
        return found

    def patch(self, path: str, changes: Document, *, version: str) -> Document:
        if self.others:
            self.leader, self.version = self.others.pop(0), self.version + 1
        if version != str(self.version):
            raise ConflictError("409")
        self.kept.append((path, changes))
        return self.get()


def changing(cluster: ChangingCluster) -> SiteDatabase:
    return SiteDatabase(DATABASES[0], "frankfurt", cast("Cluster", cluster))


@pytest.mark.requirement("a demotion can be begun again at any point, and leaves no fence behind")
@pytest.mark.parametrize(
    ("cluster", "patches"),
    [
        (ChangingCluster(), 1),
        (ChangingCluster("frankfurt", "frankfurt"), 1),  # its operator noted something meanwhile
        (ChangingCluster(leader="dublin"), 0),
        (ChangingCluster("frankfurt", "dublin"), 0),  # an earlier request of ours was slow
    ],
)
def test_a_fence_is_set_only_with_the_demotion_that_lifts_it(cluster: ChangingCluster, patches: int) -> None:
    begin_demotion(
        SiteDatabase(DATABASES[0], "frankfurt", cast("Cluster", cluster)), cluster.get(), peer="dublin", lock=None
    )
    assert len(cluster.kept) == patches
    for path, changes in cluster.kept:
        assert path.endswith("/clusters/commerce-frankfurt")
        assert changes["metadata"]["annotations"] == {FENCE: '["*"]'}
        assert changes["spec"]["replica"]["primary"] == DATABASES[0].cluster("dublin")


def test_a_demotion_that_others_keep_from_beginning_ends() -> None:
    cluster = ChangingCluster(*["frankfurt"] * 100)
    with pytest.raises(BusyError, match="10 times"):
        begin_demotion(
            SiteDatabase(DATABASES[0], "frankfurt", cast("Cluster", cluster)), cluster.get(), peer="dublin", lock=None
        )


@pytest.mark.requirement("a planned change promotes nothing before the last record of the old site is there")
@pytest.mark.parametrize("known", [{}, {"last_commerce": "0/C0C55D0", "last_ledger": "0/C0C55D0"}])
@pytest.mark.parametrize("seen_at_end", [False, True])
def test_the_last_record_is_waited_for(known: dict[str, Any], seen_at_end: bool) -> None:
    one = step(FAILOVER, 4)
    events: list[tuple[str, bool | str]] = []
    looks = {each.name: iter([False, False, True]) for each in DATABASES}

    def received(database: SiteDatabase, location: str) -> bool:
        assert (database.site, location) == ("dublin", "0/C0C55D0")
        found = next(looks[database.model.name])
        events.append((database.model.name, found))
        return found

    def demoted(database: SiteDatabase, *_document: object, peer: str, lock: object) -> None:
        assert lock is None
        assert (database.site, peer) == ("frankfurt", "dublin")
        events.append((database.model.name, "demoted"))

    replace_names(
        one.act,
        await_last_record=lambda *_, **__: "0/C0C55D0",
        begin_demotion=demoted,
        EndOfStream=lambda *_: SimpleNamespace(is_beyond=lambda _location: seen_at_end),
        has_received=received,
    )
    moved = change(variant=PLANNED, journal=Memory(**known))
    assert not one.verify(moved)
    present(one.act)(moved)
    waited = [] if seen_at_end else [False, False, True]
    for each in DATABASES:  # side by side
        assert [what for name, what in events if name == each.name] == [*([] if known else ["demoted"]), *waited]
    assert one.verify(moved)


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
    pair = Pair(said={"dublin": answer})
    stream = EndOfStream(pair.database("dublin", DATABASES[0]))
    assert stream.is_beyond("0/C0C55D0") is beyond
