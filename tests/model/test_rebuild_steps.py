"""A rebuild replaces what is broken, and leaves what is whole; its copies have the size that the stack asks for."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runbooks import copies
from runbooks.change import RoleChange
from runbooks.engine import Step, load_runbook
from runbooks.engine.errors import BlockedError
from runbooks.operate import FOLDER
from runbooks.pair_access import PairAccess
from shopsphere.clients.cluster import Cluster, Document
from shopsphere.clients.cluster_errors import ConflictError, RefusedError
from shopsphere.estate import stack_files
from shopsphere.estate.databases import DATABASES
from shopsphere.estate.stack import Environment
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Witness
from shopsphere.witness.seen import Seen

TOPOLOGY = load_topology()
API_AHEAD = timedelta(minutes=-20)
"""By how much the clocks of the sites differ from the operator's."""


FORK = "0/5000000"
"""Where the active site has left the timeline of both copies."""
SIX = {"Latest checkpoint location": "0/4000000", "Latest checkpoint's TimeLineID": "3"}


def step(number: int) -> Step:
    return load_runbook(FOLDER / "rebuild", variants=frozenset()).steps[number - 1]


def database(name: str, size: str, age: float, uid: str) -> Document:
    kind = name.partition("-")[0]
    created = datetime.now(UTC) + API_AHEAD - timedelta(seconds=age)
    return {
        "apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster",
        "metadata": {
            "name": name, "namespace": f"data-{kind}", "uid": uid, "labels": {}, "annotations": {},
            "creationTimestamp": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "spec": {
            "replica": {"self": name, "primary": f"{kind}-frankfurt", "source": f"{kind}-frankfurt"},
            "bootstrap": {"pg_basebackup": {"source": f"{kind}-frankfurt", "secret": {"name": "owner"}}},
            "storage": {
                "size": size,
                "pvcTemplate": {"selector": {"matchLabels": {"shopsphere.io/data-class": "payment"}}},
            },
        },
        "status": {"currentPrimary": f"{name}-1"},
    }  # fmt: skip


class Site:
    """Dublin's API: two databases with a claim each, which go and come with them, and free volumes."""

    context = "dublin"

    def __init__(self) -> None:
        self.databases = {
            name: database(name, "1Gi", 3600, f"old {name}") for name in ("commerce-dublin", "ledger-dublin")
        }
        self.claims = dict.fromkeys(self.databases, ("1Gi", "Bound"))
        self.streaming = set(self.databases)
        self.free = ["2Gi"]
        self.deleted: list[str] = []
        self.refused = ""
        self.has = dict.fromkeys(self.databases, FORK)

    def execute(self, _namespace: str, pod: str, *_words: object, **_bounds: object) -> str:
        here = {"Minimum recovery ending location": self.has[pod.removesuffix("-1")], "Replayed": ""}
        lines = {**SIX, **here, "Min recovery ending loc's timeline": "3"}
        return "\n".join(f"{key}: {value}" for key, value in lines.items())

    def get(self, path: str) -> Document:
        return copy.deepcopy(self.databases[path.rpartition("/")[2]])

    def date(self) -> str:
        return format_datetime(datetime.now(UTC) + API_AHEAD, usegmt=True)

    def find(self, path: str) -> Document | None:
        return copy.deepcopy(self.databases.get(path.rpartition("/")[2]))

    def items_of_known_kind(self, _path: str, *, labelSelector: str) -> list[Document]:  # noqa: N803 - the API's name
        name = labelSelector.partition("=")[2]
        if name not in self.claims:
            return []
        size, phase = self.claims[name]
        asked = {"resources": {"requests": {"storage": size}}}
        return [{"metadata": {"name": f"{name}-1"}, "spec": asked, "status": {"phase": phase}}]

    def items(self, path: str, **query: str) -> list[Document]:
        if path.endswith("persistentvolumes"):
            return [
                {"metadata": {"name": "v"}, "spec": {"capacity": {"storage": size}}, "status": {"phase": "Available"}}
                for size in self.free
            ]
        return self.items_of_known_kind(path, **query)

    def create(self, path: str, document: Document) -> None:
        collection, _, query = path.partition("?")
        assert (collection.rpartition("/")[2], query) == ("clusters", "dryRun=All")
        assert document["metadata"]["name"] in self.databases, "judged while the old one is there"
        if self.refused:
            raise RefusedError(self.refused)
        raise ConflictError("already exists")

    def delete(self, path: str) -> None:
        name = path.rpartition("/")[2]
        del self.databases[name], self.claims[name]
        self.streaming.discard(name)
        self.deleted.append(name)

    def apply(self, path: str, document: Document, *, manager: str) -> None:
        assert manager
        name, size = path.rpartition("/")[2], document["spec"]["storage"]["size"]
        self.databases[name] = {**database(name, size, 0, f"new {name}"), "spec": document["spec"]}
        self.claims[name] = (size, "Pending")


class Active:
    """Frankfurt's API: says who streams."""

    context = "frankfurt"

    def __init__(self, site: Site) -> None:
        self.site = site

    def get(self, path: str) -> Document:
        return database(path.rpartition("/")[2], "1Gi", 3600, "leads")

    def execute(self, *_words: object, **_bounds: object) -> str:
        return json.dumps({"in_recovery": False, "line": 4, "history": f"3\t{FORK}\tno recovery target specified"})


class Access(PairAccess):
    def __init__(self, site: Site) -> None:
        super().__init__(TOPOLOGY, TOPOLOGY.pair("rdc-a"), Environment.LAB, cast("Witness", self))
        self.apis = {"dublin": site, "frankfurt": Active(site)}

    def cluster(self, site: str) -> Cluster:
        return cast("Cluster", self.apis[site])

    def see(self) -> Seen:
        return Seen(PairRecord.first("rdc-a", "frankfurt", actor="test"), 1, "frankfurt")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    found = Site()
    monkeypatch.setattr(copies, "streams", lambda _change, one: one.name in found.streaming)
    want(monkeypatch, "1Gi")
    return found


def want(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    """Write a size into the stack's file."""
    sizes = {"shopsphere:databases": {each.name: {"size": size} for each in DATABASES}}
    monkeypatch.setattr(stack_files, "wanted_configuration", lambda _stack: sizes)


def rebuild(site: Site, kept: dict[str, Any] | None = None, *, whole: bool = False) -> RoleChange:
    memory = {} if kept is None else kept
    journal = cast("Any", SimpleNamespace(recall=memory.get, remember=memory.__setitem__))
    return RoleChange(Access(site), "frankfurt", "dublin", 1, "", "anna", "test", whole=whole, journal=journal)


def replaced(site: Site, kept: dict[str, Any] | None = None) -> list[str]:
    change = rebuild(site, kept)
    two = step(3)
    assert not two.verify(change), "it was taken for done"
    assert two.act is not None
    two.act(change)
    assert two.verify(change)
    return sorted(site.deleted)


def test_whole_copies_are_left_alone(site: Site) -> None:
    assert step(3).verify(rebuild(site))
    assert "whole copy" in step(1).check(rebuild(site))
    assert site.deleted == []


@pytest.mark.requirement("rebuild replaces a copy that is broken, and only that one")
def test_a_copy_that_lost_its_pod_is_replaced(site: Site) -> None:
    site.streaming.discard("ledger-dublin")
    assert "ledger-dublin, because it does not stream" in step(3).check(rebuild(site))
    assert replaced(site) == ["ledger-dublin"]


def test_a_copy_whose_volume_is_lost_is_replaced(site: Site) -> None:
    site.claims["commerce-dublin"] = ("1Gi", "Lost")
    assert replaced(site) == ["commerce-dublin"]


@pytest.mark.parametrize("claim", ["1Gi", "2Gi"])
def test_a_copy_of_another_size_than_its_stack_s_is_replaced(site: Site, claim: str) -> None:
    site.databases["ledger-dublin"]["spec"]["storage"]["size"] = "2Gi"
    site.claims["ledger-dublin"] = (claim, "Bound")
    assert replaced(site) == ["ledger-dublin"]
    assert site.databases["ledger-dublin"]["spec"]["storage"]["size"] == "1Gi"


@pytest.mark.requirement("a size that cannot change is changed by a rebuild")
def test_a_new_size_in_the_stack_s_file_makes_new_copies(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    want(monkeypatch, "2Gi")
    assert replaced(site) == ["commerce-dublin", "ledger-dublin"]
    assert {each["spec"]["storage"]["size"] for each in site.databases.values()} == {"2Gi"}


def test_a_volume_has_to_be_large_enough_before_anything_is_deleted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    want(monkeypatch, "2Gi")
    site.free = ["1Gi", "2047Mi"]
    with pytest.raises(BlockedError, match="no free volume of 2Gi or more"):
        step(1).check(rebuild(site))


@pytest.mark.parametrize(("instances", "free"), [(1, True), (2, False)])
def test_each_instance_needs_a_volume(site: Site, *, instances: int, free: bool) -> None:
    site.streaming.discard("ledger-dublin")
    site.databases["ledger-dublin"]["spec"]["instances"] = instances
    if free:
        step(1).check(rebuild(site))
        return
    with pytest.raises(
        BlockedError, match=r"free volumes of 1Gi or more for payment data at 1 of 2 places(.|\n)*“A volume"
    ):
        step(1).check(rebuild(site))


@pytest.mark.requirement("a rebuild whose own copy is broken does not resume there for ever")
def test_a_copy_of_this_very_run_that_never_streams_is_replaced_again(site: Site) -> None:
    kept: dict[str, Any] = {}
    site.streaming.discard("ledger-dublin")
    assert replaced(site, kept) == ["ledger-dublin"]
    assert step(3).verify(rebuild(site, kept)), "a new one has time to copy"
    hour_ago = (datetime.now(UTC) + API_AHEAD - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    site.databases["ledger-dublin"]["metadata"] |= {"creationTimestamp": hour_ago, "uid": "second"}
    assert replaced(site, kept) == ["ledger-dublin", "ledger-dublin"]


def test_a_kill_between_deleting_and_making_is_made_good(site: Site) -> None:
    kept: dict[str, Any] = {}
    site.streaming.discard("ledger-dublin")
    change, apply = rebuild(site, kept), site.apply
    site.apply = lambda *_, **__: None  # type: ignore[method-assign]  # the process dies here
    cast("Any", step(3).act)(change)
    assert "ledger-dublin" not in site.databases
    site.apply = apply  # type: ignore[method-assign]
    assert replaced(site, kept) == ["ledger-dublin"]


@pytest.mark.requirement("a database is deleted only when the site's API would take what replaces it")
def test_a_copy_that_would_be_refused_leaves_the_old_one(site: Site) -> None:
    site.streaming.discard("ledger-dublin")
    site.refused = "spec.affinity: a field that runs or reads what no rule judges"
    kept: dict[str, Any] = {}
    change, two = rebuild(site, kept), step(3)
    assert two.act is not None
    with pytest.raises(BlockedError, match=r"ledger-dublin is left as it is.*spec\.affinity"):
        two.act(change)
    assert (site.deleted, kept) == ([], {}), "nothing is lost, and nothing is remembered that would be refused again"
    site.refused = ""
    assert replaced(site, kept) == ["ledger-dublin"]


def ahead(site: Site, name: str, *, age: float = 3600) -> None:
    """Let a copy have more than the active site, so that it cannot stream."""
    site.has[name], site.databases[name] = "0/5000128", database(name, "1Gi", age, f"old {name}")
    site.streaming.discard(name)


@pytest.mark.requirement("a copy that can be rewound needs no volume and is not replaced")
def test_a_copy_that_is_ahead_needs_no_volume(site: Site) -> None:
    ahead(site, "commerce-dublin")
    assert "commerce-dublin by a rewind" in step(1).check(rebuild(site))
    site.free = []
    said = step(1).check(rebuild(site))
    assert "again: commerce-dublin (WITHOUT A FREE VOLUME: if its rewind fails, it can neither start" in said
    assert not step(2).verify(rebuild(site))
    assert "made anew at dublin: nothing" in step(3).check(rebuild(site))
    with pytest.raises(BlockedError, match="no free volume"):
        step(1).check(rebuild(site, whole=True))


@pytest.mark.requirement("a copy that is behind, and not ahead, is not rewound")
def test_a_copy_that_only_does_not_stream_is_not_rewound(site: Site) -> None:
    site.streaming.discard("commerce-dublin")
    assert step(2).verify(rebuild(site))
    site.has["commerce-dublin"] = "0/4FFFFFF"
    assert step(2).verify(rebuild(site))


@pytest.mark.parametrize("age", [3600, 60])
@pytest.mark.requirement("what could not be rewound is copied anew, and no sooner deleted than there is a volume")
def test_what_could_not_be_rewound_is_replaced(site: Site, age: float) -> None:
    ahead(site, "ledger-dublin", age=age)
    known = {"uid": "old ledger-dublin", "line": 3, "fork": 1, "end": 2, "ended": "refused: its log is gone"}
    kept: dict[str, Any] = {"rewind-ledger-dublin-1": known}
    assert step(2).verify(rebuild(site, kept)), "tried once"
    said = "could not be rewound: refused: its log is gone" if age == 60 else "it does not stream"
    assert said in step(3).check(rebuild(site, kept))
    site.free = []
    with pytest.raises(BlockedError, match="no free volume"):
        cast("Any", step(3).act)(rebuild(site, kept))
    assert site.deleted == []
    site.free = ["1Gi"]
    assert replaced(site, kept) == ["ledger-dublin"]


@pytest.mark.parametrize("age", [3600, 60])
def test_a_whole_copy_is_made_of_what_could_be_rewound(site: Site, age: float) -> None:
    ahead(site, "ledger-dublin", age=age)
    change = rebuild(site, {}, whole=True)
    assert step(2).verify(change)
    assert not step(3).verify(change)
    cast("Any", step(3).act)(change)
    assert site.deleted == ["ledger-dublin"]
