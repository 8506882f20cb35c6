"""As whom each program asks a site's API server: the kubeconfig of its role, and that of `up` where there is none."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509

from lab.cluster.credentials import prepare
from lab.paths import kubeconfig_path
from runbooks.pair_access import PairAccess
from shopsphere.clients import site_cluster
from shopsphere.clients.cluster import Cluster
from shopsphere.clients.cluster_errors import Asker, NoAccessError
from shopsphere.clients.site_cluster import cluster_of
from shopsphere.doctor.site_api import SiteApi
from shopsphere.drift import looking, repair_run
from shopsphere.estate import stack_files
from shopsphere.estate.access import AccessError, SiteAccess, parse_access
from shopsphere.estate.cluster_role import Role
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.estate.stack_files import ROLES_KEY, wanted_configuration
from shopsphere.status import sites
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
STACK = site_stack(TOPOLOGY, "frankfurt", Environment.LAB)
OWN = {"watch": "/keys/watch.yaml", "drift": "/keys/drift.yaml", "operate": "/keys/operate.yaml"}


def access(**kubeconfigs: str) -> SiteAccess:
    written = {"shopsphere:kubeconfig": "/keys/up.yaml", **({ROLES_KEY: kubeconfigs} if kubeconfigs else {})}
    return parse_access(SiteAccess, written, "Pulumi.x.yaml")


@pytest.mark.requirement("an owner gives each role a kubeconfig of its own, or one to all of them")
def test_each_role_has_its_own_or_that_of_up() -> None:
    assert {str(role): access(**OWN).kubeconfig_of(role) for role in Role} == {
        "watch": ("/keys/watch.yaml", "shopsphere:kubeconfigs.watch"),
        "drift": ("/keys/drift.yaml", "shopsphere:kubeconfigs.drift"),
        "operate": ("/keys/operate.yaml", "shopsphere:kubeconfigs.operate"),
        "up": ("/keys/up.yaml", "shopsphere:kubeconfig"),
    }
    assert {access().kubeconfig_of(role) for role in Role} == {("/keys/up.yaml", "shopsphere:kubeconfig")}
    some = access(drift="/keys/drift.yaml")
    assert some.kubeconfig_of(Role.DRIFT)[0] == "/keys/drift.yaml"
    assert some.kubeconfig_of(Role.WATCH) == ("/keys/up.yaml", "shopsphere:kubeconfig")


def test_a_role_that_there_is_not_is_told() -> None:
    with pytest.raises(AccessError, match=r"kubeconfigs\.watcher"):
        access(watcher="/keys/watch.yaml")


def test_a_stack_that_was_never_set_up_has_no_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack_files, "configuration", lambda _: {ROLES_KEY: OWN})
    for role in Role:
        with pytest.raises(NoAccessError, match="not set up here"):
            cluster_of(STACK, role)


@pytest.mark.requirement("an owner gives each role a kubeconfig of its own, or one to all of them")
def test_what_is_said_names_the_file_and_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"shopsphere:kubeconfig": str(tmp_path / "up.yaml"), ROLES_KEY: {"watch": str(tmp_path / "watch.yaml")}}
    monkeypatch.setattr(stack_files, "configuration", lambda _: config)
    made: list[tuple[Path, Asker]] = []

    class Seen(Cluster):
        def __init__(self, file: Path, _context: str, *, seconds: float = 3, asker: Asker | None = None) -> None:
            assert asker is not None
            assert seconds
            made.append((file, asker))

    monkeypatch.setattr(site_cluster, "Cluster", Seen)
    for role in (Role.WATCH, Role.UP):
        cluster_of(STACK, role)
    assert made == [
        (
            tmp_path / "watch.yaml",
            Asker("watch", f"{tmp_path / 'watch.yaml'} (shopsphere:kubeconfigs.watch)", "frankfurt", "lab"),
        ),
        (tmp_path / "up.yaml", Asker("up", f"{tmp_path / 'up.yaml'} (shopsphere:kubeconfig)", "frankfurt", "lab")),
    ]


class AskedError(Exception):
    """In place of an answer: the role as which it was asked."""


@pytest.mark.requirement("each program asks as its own role")
def test_which_program_asks_as_whom(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_stack: StackId, role: Role, **_: object) -> Cluster:
        raise AskedError(role)

    def asked(work: Any) -> Role:
        with pytest.raises(AskedError) as found:
            work()
        role: Role = found.value.args[0]
        return role

    for module in ("runbooks.pair_access", "shopsphere.status.sites", "shopsphere.drift.looking"):
        monkeypatch.setattr(f"{module}.cluster_of", refuse)
    monkeypatch.setattr("shopsphere.drift.repair_run.cluster_of", refuse)
    monkeypatch.setattr("shopsphere.doctor.site_api.cluster_of", refuse)
    monkeypatch.setattr(repair_run, "exported_state", lambda _: {})
    monkeypatch.setattr(repair_run, "declared_objects", lambda _: [])
    witness: Any = None
    pair = TOPOLOGY.pair("rdc-a")
    found = {
        "status": asked(lambda: sites.site_status(TOPOLOGY, STACK)),
        "runbooks": asked(lambda: PairAccess(TOPOLOGY, pair, Environment.LAB, witness).cluster("dublin")),
        "metrics": asked(
            lambda: PairAccess(TOPOLOGY, pair, Environment.LAB, witness, role=Role.WATCH).cluster("dublin")
        ),
        "drift": asked(lambda: looking.look_at_site(TOPOLOGY, STACK)),
        "repair": asked(lambda: repair_run.place_of(TOPOLOGY, STACK)),
        "doctor": asked(lambda: SiteApi(STACK)._connect(STACK)),  # noqa: SLF001 the question itself hides who fails
    }
    assert found == {
        "status": Role.WATCH,
        "runbooks": Role.OPERATE,
        "metrics": Role.WATCH,
        "drift": Role.DRIFT,
        "repair": Role.UP,
        "doctor": Role.UP,
    }


@pytest.fixture
def lab_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    return tmp_path


@pytest.mark.requirement("the lab's programs ask as their own roles")
def test_the_lab_has_a_certificate_for_each_role(lab_folder: Path) -> None:
    prepare(TOPOLOGY.site("frankfurt"))
    for role in Role:
        file = kubeconfig_path("frankfurt", role)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        document = yaml.safe_load(file.read_text())
        assert [each["name"] for each in document["contexts"]] == ["frankfurt"]
        pem = lab_folder / "hosts" / "frankfurt" / "disk" / "pki" / f"role-{role}.crt"
        names = x509.load_pem_x509_certificate(pem.read_bytes()).subject.rfc4514_string()
        assert names in {f"CN=shopsphere:{role}:lab,O={role.group}", f"O={role.group},CN=shopsphere:{role}:lab"}
    config = wanted_configuration(STACK)
    assert config[ROLES_KEY] == {
        "watch": str(lab_folder / "kubeconfigs" / "frankfurt-watch.yaml"),
        "drift": str(lab_folder / "kubeconfigs" / "frankfurt-drift.yaml"),
        "operate": str(lab_folder / "kubeconfigs" / "frankfurt-operate.yaml"),
    }
    assert config["shopsphere:kubeconfig"] == str(lab_folder / "kubeconfigs" / "frankfurt.yaml"), "up deploys as before"


@pytest.mark.usefixtures("lab_folder")
def test_a_lab_of_before_has_one_for_all() -> None:
    assert ROLES_KEY not in wanted_configuration(STACK)


@pytest.mark.requirement("the lab's programs ask as their own roles")
def test_the_committed_file_may_let_all_of_them_be_the_administrator(
    lab_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(TOPOLOGY.site("frankfurt"))
    base = lab_folder / "base.yaml"
    base.write_text(yaml.safe_dump({"config": {ROLES_KEY: {}, "shopsphere:context": "frankfurt"}}))
    monkeypatch.setattr(stack_files, "committed_file", lambda _: base)
    assert wanted_configuration(STACK)[ROLES_KEY] == {}
