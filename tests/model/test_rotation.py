"""Rotations on a pair of dictionaries: whatever stops one, and wherever, both sites understand each other."""

from __future__ import annotations

import base64
import copy
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography import x509

from runbooks.engine import Journal, RunFacts, StepFailedError, read_run, run_runbook
from runbooks.pair_access import PairAccess
from runbooks.rotation import proving_certificates, renewal_run
from runbooks.rotation.deployment import SiteDeployment
from runbooks.rotation.listing import first_end, rows
from runbooks.rotation.pair_stacks import PairStacks
from runbooks.rotation.records import ALL, renewed_at, rotations
from runbooks.rotation.renewal_run import Rotation
from runbooks.rotation.run import RotationRequest, steps_for, steps_of
from runbooks.rotation.site_secrets import places
from shopsphere.estate import pair_secrets
from shopsphere.estate.event_log_secrets import generate_event_log_secrets
from shopsphere.estate.event_log_site import SITE_WITH_BROKER
from shopsphere.estate.pair_secrets import generate_pair_secrets
from shopsphere.estate.renewal import (
    DATABASE_CERTIFICATES,
    EVENT_LOG_CERTIFICATES,
    KINDS,
    SERVICE_PASSWORDS,
    Stage,
    bundle,
)
from shopsphere.estate.site_declaration import SiteDeclaration
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology
from shopsphere.witness import PairRecord, Sync
from shopsphere.witness.seen import Seen

pytestmark = pytest.mark.requirement("secrets are renewed without a lost order, also by a rotation that is stopped")

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")
ACTIVE, PASSIVE = PAIR.primary, PAIR.recovery
SITES = (PASSIVE, ACTIVE)
STACKS = tuple(site_stack(TOPOLOGY, site, Environment.LAB) for site in SITES)


LEAST_CHANGES = {
    "session-keys": 8,
    "call-key": 14,
    "service-passwords": 48,
    "owner-passwords": 8,
    "database-certificates": 60,
    "event-log-certificates": 20,
}
"""Values written, values removed and secrets deployed: by hand, for two stacks and two sites."""
ONE_IN = {"service-passwords": 3, "database-certificates": 5}
"""Of how many changes one is tried, so that the ring stays short; odd, so that each kind of place is met."""
LEFT = {"session-keys": ["sessionSecretOther"]}


class KilledError(BaseException):
    """The process ends here; nothing catches it."""


@dataclass
class World:
    """Both stacks and both sites; every change of one value may be the last one of a process.

    Attributes:
        config: secrets by stack.
        live: what each site has, by `namespace/name` and key.
        passwords: that the leading databases take.
        kill_at: number of the change after which the process ends.
        changes: how many there were.
        declared: what both sites are declared to have.
    """

    config: dict[str, dict[str, str]]
    live: dict[str, dict[str, dict[str, str]]]
    passwords: dict[str, str] = field(default_factory=dict)
    kill_at: int | None = None
    changes: int = 0
    declared: SiteDeclaration = SITE_WITH_BROKER

    @classmethod
    def new(cls) -> World:
        made = generate_pair_secrets(TOPOLOGY, PAIR) | generate_event_log_secrets(PAIR.name)
        world = cls({stack.name: dict(made) for stack in STACKS}, {site: {} for site in SITES})
        for site in SITES:
            world.deploy(site)
        return world

    def changed(self) -> None:
        self.require_understanding()
        self.changes += 1
        if self.changes == self.kill_at:
            raise KilledError

    def read(self, stack: StackId) -> dict[str, str]:
        return dict(self.config[stack.name])

    def write(self, stack: StackId, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self.config[stack.name][name] = value
            self.changed()

    def remove(self, stack: StackId, names: Iterable[str]) -> None:
        for name in names:
            del self.config[stack.name][name]
            self.changed()

    def deploy(self, site: str) -> None:
        """As `up`: secret by secret."""
        config = self.config[f"lab-{site}"]
        wanted: dict[str, dict[str, str]] = {}
        for place in places(self.declared, archived=True):
            if place.name in config:
                wanted.setdefault(place.secret, {})[place.key] = config[place.name]
        for secret, content in wanted.items():
            if self.live[site].get(secret) != content:
                self.live[site][secret] = content
                if site == ACTIVE and secret.endswith("-service"):
                    self.passwords[secret.removesuffix("-service").rpartition("/")[2]] = content["password"]
                if len(self.live[PASSIVE]) == len(self.live[ACTIVE]):
                    self.changed()

    def require_understanding(self) -> None:
        """What any pod does, every other one at both sites has to believe."""
        pods = {
            (site, name): self.live[site][f"{name}/{name}-settings"] for site in SITES for name in ("shop", "payments")
        }
        for (site, name), pod in pods.items():
            for (_, other), its in pods.items():
                if name == other == "shop":
                    assert pod["SHOP_SESSION_SECRET"] in both(its, "SHOP_SESSION_SECRET"), "a customer is signed out"
                assert pod["PAYMENTS_CALL_KEY"] in both(its, "PAYMENTS_CALL_KEY"), "an order stays unpaid"
            database = {"shop": "commerce", "payments": "ledger"}[name]
            taken = {self.passwords[database], self.live[site][f"data-{database}/{database}-service"]["password"]}
            assert taken <= both(pod, f"{database.upper()}_PASSWORD"), "a pod cannot log in, now or after a promotion"
        for site in SITES:
            for database in ("commerce", "ledger"):
                namespace = self.live[site][f"data-{database}/{database}-server"]["tls.crt"]
                client = self.live[site][f"data-{database}/pair-replication"]["tls.crt"]
                for other in SITES:
                    trusted = self.live[other][f"data-{database}/pair-ca"]["ca.crt"]
                    assert vouched(namespace, trusted), f"{other} does not believe {site}'s {database}"
                    assert vouched(client, trusted), f"{other} does not let {site} replicate"


def both(pod: Mapping[str, str], variable: str) -> set[str]:
    return {pod[name] for name in (variable, f"{variable}_OTHER") if name in pod}


@functools.cache
def vouched(certificate: str, trusted: str) -> bool:
    leaf = x509.load_pem_x509_certificate(certificate.encode())
    for authority in x509.load_pem_x509_certificates(trusted.encode()):
        try:
            leaf.verify_directly_issued_by(authority)
        except Exception:  # noqa: BLE001 another authority's
            continue
        return True
    return False


class Cluster:
    """A site's API as far as a rotation asks it."""

    def __init__(self, world: World, site: str) -> None:
        self._world, self._site = world, site

    def items_of_known_kind(self, _path: str, **_: str) -> list[dict[str, Any]]:
        return [
            {
                "metadata": {"namespace": place.partition("/")[0], "name": place.partition("/")[2]},
                "data": {key: base64.b64encode(value.encode()).decode() for key, value in content.items()},
            }
            for place, content in self._world.live[self._site].items()
        ]

    def items(self, path: str, **_: str) -> list[dict[str, Any]]:
        return self.items_of_known_kind(path) if path.endswith("/secrets") else []


@dataclass
class Desk:
    """An operator's machine."""

    world: World
    runs: Path
    record: PairRecord
    forms: bool = True
    moving: str = ""

    def rotation(self, **values: Any) -> Rotation:
        locked = SimpleNamespace(value=self.moving) if self.moving else None
        witness = SimpleNamespace(see=lambda: Seen(self.record, 1, ACTIVE), locked_by=lambda: locked)
        access = SimpleNamespace(
            topology=TOPOLOGY,
            pair=PAIR,
            witness=witness,
            cluster=lambda site: Cluster(self.world, site),
            declaration_at=lambda _site: self.world.declared,
            workloads=lambda _site: (),
            each_database=lambda *_: [],
            declaration=lambda: SimpleNamespace(addresses={ACTIVE: "10.0.0.1", PASSIVE: "10.0.0.2"}),
            door=lambda *_, **__: SimpleNamespace(page=lambda: 1000),
        )
        deployment = SimpleNamespace(bring=self.world.deploy, require_no_changes=lambda _sites: None)
        return Rotation(
            access=cast("PairAccess", access),
            stacks=PairStacks(STACKS, read=self.world.read, write=self.world.write, remove=self.world.remove),
            deployment=cast("SiteDeployment", deployment),
            sites=SITES,
            **values,
        )

    def rotate(self, variant: str = ALL, **values: Any) -> None:
        """Begin, or go on, as the command does."""
        left = Journal.unfinished(self.runs, pair=PAIR.name)
        facts = RunFacts("rotate", variant, PAIR.name, "anna", "test")
        opened = Journal.resume(left.path, actor="anna") if left else Journal.start(self.runs, facts)
        with opened as journal:
            run_runbook(steps_of(variant), replace(self.rotation(**values), journal=journal), journal)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("runbooks.databases.all_follow", lambda *_: True)
    monkeypatch.setattr("shopsphere.clients.web.takes_forms", lambda _door: True)
    monkeypatch.setattr(renewal_run, "site_problems", lambda *_: [])
    record = PairRecord.first(PAIR.name, ACTIVE, actor="test").changed(actor="test", reason="test", sync=Sync.ON)
    return Desk(World.new(), tmp_path / "rotations", record)


def by_kind(config: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {kind.name: tuple(config[name] for name in kind.names) for kind in KINDS.values()}


def test_a_site_has_a_stage_when_the_worker_of_clicks_has_it_too(desk: Desk) -> None:
    made = SERVICE_PASSWORDS.fingerprints(desk.world.config["lab-dublin"])
    journal = SimpleNamespace(recall=lambda what: made if what.endswith(" new") else None)
    renewal = replace(desk.rotation(), journal=cast("Journal", journal)).of(SERVICE_PASSWORDS)
    assert renewal.missing_at(Stage.ALONE, PASSIVE) == []
    del desk.world.live[PASSIVE]["insight/insight-settings"]
    assert renewal.missing_at(Stage.ALONE, PASSIVE) == ["insight/insight-settings COMMERCE_PASSWORD"]


def test_every_kind_is_renewed_and_both_stacks_hold_the_same(desk: Desk) -> None:
    before = by_kind(desk.world.config["lab-dublin"])
    desk.rotate()
    after = desk.world.config["lab-dublin"]
    assert after == desk.world.config["lab-frankfurt"]
    unchanged = [kind for kind, old in before.items() if set(old) & set(by_kind(after)[kind])]
    assert unchanged == []
    assert [name for name in after if name.endswith("Other")] == ["sessionSecretOther"]
    assert after["sessionSecretOther"] == before["session-keys"][0]
    assert len(x509.load_pem_x509_certificates(after["pairCaCertificate"].encode())) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_rotation_stopped_after_any_change_goes_on(desk: Desk, tmp_path: Path, kind: str) -> None:
    """Each written value, each removed one and each deployed secret is the last one of a process once."""
    start = copy.deepcopy(desk.world)
    desk.world.changes = 0
    desk.rotate(kind)
    total = desk.world.changes
    assert total >= LEAST_CHANGES[kind]
    old = by_kind(start.config["lab-dublin"])[kind]
    for at in range(1, total + 1, ONE_IN.get(kind, 1)):
        again = replace(desk, world=copy.deepcopy(start), runs=tmp_path / f"run-{at}")
        again.world.changes, again.world.kill_at = 0, at
        with pytest.raises(KilledError):
            again.rotate(kind)
        again.rotate(kind)
        after = again.world.config["lab-dublin"]
        assert after == again.world.config["lab-frankfurt"]
        assert not set(old) & set(by_kind(after)[kind])
        assert [name for name in after if name.endswith("Other")] == LEFT.get(kind, [])
        assert Journal.unfinished(again.runs, pair=PAIR.name) is None


@pytest.mark.parametrize("kind", KINDS)
def test_one_kind_leaves_the_others_as_they_are(desk: Desk, kind: str) -> None:
    before = by_kind(desk.world.config["lab-dublin"])
    desk.rotate(kind)
    after = by_kind(desk.world.config["lab-dublin"])
    assert [name for name in KINDS if after[name] != before[name]] == [kind]


def test_a_pair_without_an_event_log_has_nothing_of_it_to_renew(desk: Desk) -> None:
    for stack in STACKS:
        for name in EVENT_LOG_CERTIFICATES.names:
            del desk.world.config[stack.name][name]
    asked = RotationRequest(pair=PAIR.name, environment=Environment.LAB, only="", reason="test")
    named = [step.name for step in steps_for(asked, desk.rotation()).steps]
    assert "database-certificates-12-check-shop" in named
    assert not [name for name in named if name.startswith(EVENT_LOG_CERTIFICATES.name)]
    with pytest.raises(ShopSphereError, match=r"has no event-log-certificates"):
        steps_for(replace(asked, only=EVENT_LOG_CERTIFICATES.name), desk.rotation())
    listed = rows(desk.world.config["lab-dublin"], {})
    assert [row.kind for row in listed] == [name for name in KINDS if name != EVENT_LOG_CERTIFICATES.name]


def test_the_world_of_these_tests_notices_a_step_that_is_left_out(desk: Desk) -> None:
    """Pods that are told to use a key which others do not believe yet."""
    for stack in STACKS:
        desk.world.config[stack.name]["paymentsCallKey"] = "a-new-key-that-nobody-was-told-of-before"
    with pytest.raises(AssertionError, match="unpaid"):
        desk.world.deploy(PASSIVE)


def test_a_rotation_waits_for_a_pair_that_is_moved(desk: Desk) -> None:
    desk.moving = "berta since midnight: failover"
    with pytest.raises(StepFailedError, match="berta since midnight"):
        desk.rotate()
    assert "sessionSecretOther" not in desk.world.config["lab-dublin"]


def test_a_rotation_does_not_begin_while_payments_are_at_one_site(desk: Desk) -> None:
    desk.record = desk.record.changed(actor="test", reason="test", sync=Sync.OFF)
    with pytest.raises(StepFailedError, match="at one site only"):
        desk.rotate()


@pytest.mark.requirement("certificates of databases that have ended are renewed, though nothing replicates any more")
def test_certificates_that_have_ended_are_renewed(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pods that wait for servers which use them would wait for ever: no stage may do so."""
    with monkeypatch.context() as short:
        short.setattr(pair_secrets, "LEAF_LIFETIME", timedelta(seconds=1))
        world = World.new()
    old = by_kind(world.config["lab-dublin"])["database-certificates"]
    desk.world, desk.record = world, desk.record.changed(actor="test", reason="test", sync=Sync.OFF)
    monkeypatch.setattr("runbooks.databases.all_follow", lambda *_: False)
    monkeypatch.setattr(World, "require_understanding", lambda _world: None)  # nobody believes the old ones anyway
    with pytest.raises(StepFailedError, match="--only database-certificates"):
        replace(desk, runs=tmp_path / "another").rotate("call-key")

    deployed = list[str]()
    deploy = World.deploy

    def watched(world: World, site: str) -> None:
        deploy(world, site)
        server = world.live[site]["data-ledger/ledger-server"]["tls.crt"]
        deployed.append(f"{site}: {'old' if server in old else 'new'}")
        if len(deployed) == 4:  # what both servers present is believed, so that they replicate again
            desk.record = desk.record.changed(actor="agent", reason="test", sync=Sync.ON)

    monkeypatch.setattr(World, "deploy", watched)
    world.changes = 0
    for kill_at in (3, 20, None):
        world.kill_at = world.changes + kill_at if kill_at else None
        if kill_at:
            with pytest.raises(KilledError):
                desk.rotate("database-certificates")
        else:
            desk.rotate("database-certificates")
    after = world.config["lab-dublin"]
    assert after == world.config["lab-frankfurt"]
    assert not set(old) & set(by_kind(after)["database-certificates"])
    assert len(x509.load_pem_x509_certificates(after["pairCaCertificate"].encode())) == 1
    assert [each for each in deployed if each.endswith("old")] == []


@pytest.fixture
def recovered(desk: Desk) -> Desk:
    """Certificates ended, and a rotation whose records are lost recovered them: what is used now is good."""
    past = datetime.now(UTC) - pair_secrets.CA_LIFETIME - timedelta(days=1)
    ended, good = (pair_secrets.generate_certificates(TOPOLOGY, PAIR, now=each) for each in (past, None))
    layout = DATABASE_CERTIFICATES.layout(Stage.USED, ended, good)
    config = desk.world.config["lab-dublin"] | {name: value for name, value in layout.items() if value}
    desk.world = World({stack.name: dict(config) for stack in STACKS}, {site: {} for site in SITES})
    for site in SITES:
        desk.world.deploy(site)
    return desk


@pytest.mark.requirement("certificates of databases that have ended are renewed, though nothing replicates any more")
def test_an_authority_that_ended_beside_the_one_that_is_used_ends_no_overlap(recovered: Desk) -> None:
    """The world notices where a site shows what the other one does not believe yet."""
    old = by_kind(recovered.world.config["lab-dublin"])["database-certificates"]
    recovered.rotate("database-certificates")
    after = recovered.world.config["lab-dublin"]
    assert after == recovered.world.config["lab-frankfurt"]
    assert not set(old) & set(by_kind(after)["database-certificates"])
    assert len(x509.load_pem_x509_certificates(after["pairCaCertificate"].encode())) == 1


@pytest.mark.requirement("certificates of databases that have ended are renewed, though nothing replicates any more")
def test_only_certificates_in_use_that_have_ended_excuse_a_pair_that_does_not_replicate(
    recovered: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runbooks.databases.all_follow", lambda *_: False)
    with pytest.raises(StepFailedError, match="does not stream both databases"):
        recovered.rotate("database-certificates")
    recovered.record = recovered.record.changed(actor="test", reason="test", sync=Sync.OFF)
    with pytest.raises(StepFailedError, match="at one site only"):
        recovered.rotate("database-certificates")


def test_an_end_is_that_of_what_is_used() -> None:
    """A leaf, or the only authority that vouches for it; another one ends days from now."""
    now = datetime.now(UTC)
    made, other = (
        pair_secrets.generate_certificates(TOPOLOGY, PAIR, now=now - timedelta(days=each)) for each in (1, 3644)
    )
    leaf, authority, others = (
        x509.load_pem_x509_certificate(each.encode()).not_valid_after_utc
        for each in (made["replicationCertificate"], made["pairCaCertificate"], other["replicationCertificate"])
    )
    assert others < leaf < authority
    both = bundle(other["pairCaCertificate"], made["pairCaCertificate"])
    assert first_end(DATABASE_CERTIFICATES, made | {"pairCaCertificate": both}) == leaf
    assert (
        first_end(DATABASE_CERTIFICATES, made | {"ledgerServerCertificate": other["ledgerServerCertificate"]}) == others
    )
    assert first_end(DATABASE_CERTIFICATES, {"pairCaCertificate": both}) is None
    with pytest.MonkeyPatch.context() as long:
        long.setattr(pair_secrets, "LEAF_LIFETIME", pair_secrets.CA_LIFETIME * 2)
        outlived = pair_secrets.generate_certificates(TOPOLOGY, PAIR, now=now)
    ends = x509.load_pem_x509_certificate(outlived["pairCaCertificate"].encode()).not_valid_after_utc
    assert first_end(DATABASE_CERTIFICATES, outlived) == ends


def test_stacks_that_differ_are_refused(desk: Desk) -> None:
    desk.world.config["lab-dublin"]["paymentsCallKey"] = "something-else-that-is-long-enough-to-be-one"
    with pytest.raises(StepFailedError, match="paymentsCallKey differs") as error:
        desk.rotate("call-key")
    assert "something-else" not in str(error.value)


def test_session_keys_are_not_renewed_twice_while_old_cookies_live(desk: Desk) -> None:
    desk.rotate("session-keys")
    first = dict(desk.world.config["lab-dublin"])
    soon = datetime.now(UTC) + timedelta(days=3)
    for until in (soon, None):
        with pytest.raises(StepFailedError, match="cookies of the key before the present one"):
            desk.rotate("session-keys", old_sessions_until=until)
        assert desk.world.config["lab-dublin"] == first
    desk.rotate("session-keys", old_sessions_until=datetime.now(UTC) - timedelta(minutes=1))
    assert desk.world.config["lab-dublin"]["sessionSecretOther"] == first["sessionSecret"]


def test_a_leaked_session_key_goes_when_customers_may_be_signed_out(desk: Desk) -> None:
    leaked = desk.world.config["lab-dublin"]["sessionSecret"]
    desk.rotate("session-keys")
    world = desk.world
    world.require_understanding = lambda: None  # type: ignore[method-assign]
    desk.rotate("session-keys", sign_out=True)
    assert leaked not in world.config["lab-dublin"].values()


def test_journals_hold_no_secret(desk: Desk) -> None:
    before = dict(desk.world.config["lab-dublin"])
    desk.rotate()
    text = "".join(path.read_text() for path in desk.runs.glob("*.jsonl"))
    secrets = [*before.values(), *desk.world.config["lab-dublin"].values()]
    assert not [each for each in secrets if each in text or each.replace("\n", "\\n") in text]


def test_what_was_renewed_when_is_known_from_the_records(desk: Desk) -> None:
    desk.rotate("call-key")
    found = renewed_at(rotations(desk.runs.parent, PAIR.name))
    assert set(found) == {"call-key"}
    assert (datetime.now(UTC) - found["call-key"]).total_seconds() < 60


def test_a_database_that_has_not_set_a_password_is_waited_for() -> None:
    secret = {"metadata": {"namespace": "data-ledger", "name": "ledger-service", "resourceVersion": "42"}}

    def cluster(version: str, *, leads: bool = True) -> dict[str, Any]:
        told = {"passwordStatus": {"payments_app": {"resourceVersion": version}}}
        replica = {"self": "ledger-dublin", "primary": "ledger-dublin" if leads else "ledger-frankfurt"}
        return {
            "metadata": {"namespace": "data-ledger", "name": "ledger-dublin"},
            "spec": {"replica": replica},
            "status": {"managedRolesStatus": told},
        }

    late = ["ledger-dublin: the password of payments_app is not set yet"]
    assert renewal_run.passwords_not_set([cluster("41")], [secret]) == late
    assert renewal_run.passwords_not_set([cluster("42")], [secret]) == []
    assert renewal_run.passwords_not_set([cluster("42")], []) == late
    assert renewal_run.passwords_not_set([cluster("41", leads=False)], [secret]) == []


def test_servers_and_streams_are_judged_by_what_postgresql_says() -> None:
    server, streams = proving_certificates.judge_server, proving_certificates.judge_streams
    assert server("ledger-dublin", "ab", {"digest": "ab", "loaded": True}) == ""
    assert server("ledger-dublin", "ab", {"digest": "cd", "loaded": True}).endswith("another certificate in its file")
    assert server("ledger-dublin", "ab", {"digest": "ab", "loaded": False}).endswith("has not loaded its certificate")
    assert server("ledger-dublin", "ab", {"digest": "ab", "loaded": None}) != ""
    assert streams("ledger-dublin", 7, {"serials": ["7"]}) == ""
    assert streams("ledger-dublin", 7, {"serials": []}).endswith("does not stream")
    assert streams("ledger-dublin", 7, {"serials": ["7", None]}).endswith("another certificate")


def test_stages_are_what_the_page_says() -> None:
    old, new = {"paymentsCallKey": "old"}, {"paymentsCallKey": "new"}
    layout = KINDS["call-key"].layout
    assert layout(Stage.BELIEVED, old, new) == {"paymentsCallKey": "old", "paymentsCallKeyOther": "new"}
    assert layout(Stage.USED, old, new) == {"paymentsCallKey": "new", "paymentsCallKeyOther": "old"}
    assert layout(Stage.ALONE, old, new) == {"paymentsCallKey": "new", "paymentsCallKeyOther": None}


def test_steps_of_a_whole_rotation_have_numbers_and_names_of_their_own() -> None:
    steps = steps_of(ALL).steps
    assert len({step.number for step in steps}) == len({step.name for step in steps}) == len(steps)
    assert [step.name for step in steps_of("owner-passwords").steps] == [
        "owner-passwords-01-check-pair",
        "owner-passwords-02-make-new-secrets",
        "owner-passwords-03-tell-passive-site",
        "owner-passwords-04-tell-active-site",
        "owner-passwords-12-check-shop",
    ]


def test_the_journal_says_what_was_done(desk: Desk) -> None:
    desk.rotate("call-key")
    (path,) = desk.runs.glob("*.jsonl")
    record = read_run(path)
    assert record is not None
    assert len(record.done) == 11
