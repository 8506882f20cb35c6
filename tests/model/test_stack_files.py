"""The lab's stack files, the pair's secrets, and locks that dead processes left."""

import json
import os
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from cli import main as cli
from shopsphere.deploy import environment, locks, secrets
from shopsphere.estate import lab_owner, stack_files
from shopsphere.estate.pair_secrets import PAIR_SECRET_NAMES
from shopsphere.estate.paths import passphrase_file
from shopsphere.estate.stack import Environment, StackId, site_stack
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
PAIR = TOPOLOGY.pair("rdc-a")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Project folders and a lab folder of their own."""
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    monkeypatch.setenv("SHOPSPHERE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(StackId, "folder", property(lambda stack: tmp_path / stack.region))
    (tmp_path / "rdc-a").mkdir()
    for site in PAIR.sites:
        (tmp_path / "rdc-a" / f"lab-{site}.base.yaml").write_text("config: {'shopsphere:context': here}\n")
    return tmp_path


def stack(site: str = "frankfurt", where: Environment = Environment.LAB) -> StackId:
    return site_stack(TOPOLOGY, site, where)


def test_the_file_holds_the_base_and_this_machines_paths(project: Path) -> None:
    assert stack_files.write_machine_file(stack())
    config = stack_files.configuration(stack())
    assert config["shopsphere:context"] == "here"
    assert config["shopsphere:kubeconfig"] == str(project / "lab" / "kubeconfigs" / "frankfurt.yaml")
    link = project / "rdc-a" / "Pulumi.lab-frankfurt.yaml"
    assert link.is_symlink()
    assert stat.S_IMODE(link.resolve().stat().st_mode) == 0o600


def test_a_site_knows_the_cdn_by_the_edges_own_authority(project: Path) -> None:
    assert str(stack_files.machine_facts(stack())["shopsphere:cdnAuthority"]).startswith("a stand-in")
    folder = project / "lab" / "pki" / "edge"
    folder.mkdir(parents=True)
    (folder / "ca.crt").write_text("the authority\n")
    assert stack_files.machine_facts(stack())["shopsphere:cdnAuthority"] == "the authority\n"
    assert "shopsphere:cdnAuthority" not in stack_files.machine_facts(site_stack(TOPOLOGY, "newyork", Environment.LAB))


@pytest.mark.requirement("no variable of the environment switches a rule off")
def test_no_variable_is_an_option_of_pulumi(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("PULUMI_OPTION_POLICY_PACK_CONFIG", "PULUMI_OPTION_TARGET")
    for name in names:
        monkeypatch.setenv(name, str(project / "off.json"))
    environment.variables(stack())
    assert not set(names) & set(os.environ)
    for name in names:
        monkeypatch.setenv(name, str(project / "off.json"))
    assert cli.run(["completion", "bash"]) == 0
    assert not set(names) & set(os.environ)
    assert ", ".join(names) in capsys.readouterr().err


def test_a_second_time_changes_nothing(project: Path) -> None:
    stack_files.write_machine_file(stack())
    before = stack_files.machine_file(stack()).stat()
    assert not stack_files.write_machine_file(stack())
    after = stack_files.machine_file(stack()).stat()  # read by now, at another second
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_secrets_and_their_salt_stay_and_removed_plain_values_go() -> None:
    existing = {"encryptionsalt": "v1:salt", "config": {"shopsphere:a": {"secure": "x"}, "shopsphere:old": 1}}
    merged = stack_files.merge({"config": {"shopsphere:new": 2}}, {"shopsphere:kubeconfig": "/k"}, existing)
    assert merged == {
        "encryptionsalt": "v1:salt",
        "config": {"shopsphere:new": 2, "shopsphere:kubeconfig": "/k", "shopsphere:a": {"secure": "x"}},
    }


def test_a_checkout_that_works_with_another_lab_is_not_taken_over(project: Path) -> None:
    other = project / "other.yaml"
    other.write_text("config: {}\n")
    (project / "rdc-a" / "Pulumi.lab-frankfurt.yaml").symlink_to(other)
    with pytest.raises(ShopSphereError, match="another lab"):
        stack_files.write_machine_file(stack())
    assert other.read_text() == "config: {}\n"


@pytest.mark.requirement("a preview in a copy of the tree never changes the stack files of a running lab")
def test_a_copy_of_the_checkout_is_refused(project: Path) -> None:
    stack_files.write_machine_file(stack())
    before = stack_files.machine_file(stack()).read_text()
    original = project / "original"
    original.mkdir()
    lab_owner.owner_file().write_text(f"{original}\n")
    (project / "rdc-a" / "lab-frankfurt.base.yaml").write_text("config: {'shopsphere:context': copied}\n")
    with pytest.raises(ShopSphereError, match=f"another checkout(.|\n)*{original}"):
        stack_files.write_machine_file(stack())
    assert stack_files.machine_file(stack()).read_text() == before
    original.rmdir()  # it was moved here
    assert stack_files.write_machine_file(stack())
    assert lab_owner.owner_file().read_text() == f"{REPOSITORY}\n"


def test_a_file_of_somebody_else_is_not_overwritten(project: Path) -> None:
    (project / "rdc-a" / "Pulumi.lab-frankfurt.yaml").write_text("config: {a: 1}\n")
    with pytest.raises(ShopSphereError, match="in the way"):
        stack_files.write_machine_file(stack())


def test_placeholders_are_named_in_one_message_and_secrets_made_here_are_not(project: Path) -> None:
    text = {"config": {"shopsphere:context": "REPLACE_ME", "shopsphere:images": {"shop": "REPLACE_ME/shop"}}}
    text["config"]["shopsphere:sessionSecret"] = "REPLACE_ME"
    (project / "rdc-a" / "Pulumi.prod-frankfurt.yaml").write_text(yaml.safe_dump(text))
    with pytest.raises(ShopSphereError) as error:
        stack_files.check_production_file(stack(where=Environment.PROD), made_here=frozenset(PAIR_SECRET_NAMES))
    assert "config.shopsphere:context, config.shopsphere:images.shop" in str(error.value)
    assert "sessionSecret" not in str(error.value)


def test_production_says_where_its_state_is_kept(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    file = project / "rdc-a" / "Pulumi.prod-frankfurt.yaml"
    file.write_text("config: {'shopsphere:stateBackend': REPLACE_ME}\n")
    with pytest.raises(ShopSphereError, match="jurisdiction eu"):
        environment.variables(stack(where=Environment.PROD))
    file.write_text("config: {'shopsphere:stateBackend': 's3://state-eu'}\n")
    assert environment.variables(stack(where=Environment.PROD))["PULUMI_BACKEND_URL"] == "s3://state-eu"


def test_the_passphrase_is_private_and_never_replaced(project: Path) -> None:
    environment.prepare(stack())
    file = passphrase_file("eu")
    first = file.read_text()
    environment.prepare(stack("dublin"))
    assert len(first) >= 32
    assert file.read_text() == first
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


class Vault:
    """Stack configurations whose encryption is a mark."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, str]] = {}

    def write(self, into: StackId, values: Mapping[str, str]) -> None:
        self.values.setdefault(into.name, {}).update(values)
        file = stack_files.machine_file(into)
        document = stack_files.read(file)
        document["config"] |= {f"shopsphere:{name}": {"secure": "v1:…"} for name in values}
        file.write_text(yaml.safe_dump(document))

    def read(self, of: StackId) -> dict[str, str]:
        return self.values[of.name]

    def ensure(self) -> bool:
        return secrets.ensure_pair_secrets(TOPOLOGY, PAIR, Environment.LAB, write=self.write, read=self.read)


@pytest.fixture
def vault(project: Path) -> Vault:
    for site in PAIR.sites:
        stack_files.write_machine_file(stack(site))
    return Vault()


def test_a_pair_shares_its_secrets_and_keeps_them(vault: Vault) -> None:
    assert vault.ensure()
    assert set(vault.values["lab-frankfurt"]) == set(PAIR_SECRET_NAMES)
    assert vault.values["lab-frankfurt"] == vault.values["lab-dublin"]
    before = json.dumps(vault.values)
    assert not vault.ensure()
    assert json.dumps(vault.values) == before


def test_a_stack_that_lost_its_secrets_gets_those_of_its_peer(vault: Vault) -> None:
    vault.ensure()
    kept = dict(vault.values["lab-frankfurt"])
    stack_files.machine_file(stack("dublin")).write_text("config: {}\n")
    vault.values["lab-dublin"].clear()
    assert vault.ensure()
    assert vault.values["lab-dublin"] == kept


ADDED = (
    "commerceServicePassword",
    "commerceInsightPassword",
    "commerceRecommendPassword",
    "commerceExportPassword",
    "ledgerServicePassword",
    "paymentsCallKey",
)


def forget(vault: Vault, site: str, *names: str) -> None:
    """Leave a stack as an older version wrote it."""
    document = stack_files.read(stack_files.machine_file(stack(site)))
    for name in names:
        del vault.values[f"lab-{site}"][name], document["config"][f"shopsphere:{name}"]
    stack_files.machine_file(stack(site)).write_text(yaml.safe_dump(document))


@pytest.mark.requirement("an existing pair gets the logins of its services, and keeps everything that it has")
def test_a_pair_of_an_older_version_gets_what_it_lacks_and_keeps_the_rest(vault: Vault) -> None:
    vault.ensure()
    for site in PAIR.sites:
        forget(vault, site, *ADDED)
    kept = dict(vault.values["lab-frankfurt"])
    assert vault.ensure()
    now = vault.values["lab-frankfurt"]
    assert now == vault.values["lab-dublin"]
    assert {name: value for name, value in now.items() if name not in ADDED} == kept
    assert len({now[name] for name in ADDED}) == len(ADDED)
    assert not vault.ensure()


@pytest.mark.parametrize("first", ["frankfurt", "dublin"])
def test_what_was_added_to_one_stack_before_a_run_was_killed_is_copied(vault: Vault, first: str) -> None:
    vault.ensure()
    for site in PAIR.sites:
        forget(vault, site, *ADDED[(1 if site == first else 0) :])
    added = vault.values[f"lab-{first}"][ADDED[0]]
    assert vault.ensure()
    assert vault.values["lab-frankfurt"] == vault.values["lab-dublin"]
    assert vault.values["lab-dublin"][ADDED[0]] == added


def test_half_a_set_is_never_completed_with_certificates_of_another(vault: Vault) -> None:
    vault.write(stack(), {"pairCaCertificate": "of an older set"})
    with pytest.raises(ShopSphereError, match="whole set"):
        vault.ensure()


def lock_of(folder: Path, pid: int, host: str | None = None) -> Path:
    place = folder / ".pulumi" / "locks" / "organization" / "rdc-a" / "lab-frankfurt"
    place.mkdir(parents=True)
    file = place / "1.json"
    content = {"pid": pid, "username": "ops", "hostname": host or socket.gethostname(), "timestamp": "2026-01-01"}
    file.write_text(json.dumps(content))
    return file


def test_the_lock_of_a_dead_process_is_released(tmp_path: Path) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    file = lock_of(tmp_path, child)
    assert [lock.pid for lock in locks.release_stranded(stack(), "rdc-a", tmp_path)] == [child]
    assert not file.exists()


def test_the_lock_of_another_machine_is_kept_and_its_owner_named(tmp_path: Path) -> None:
    file = lock_of(tmp_path, 1, "elsewhere")
    with pytest.raises(locks.StackLockedError, match="process 1 of ops on elsewhere"):
        locks.release_stranded(stack(), "rdc-a", tmp_path)
    assert file.exists()


def test_a_number_that_another_program_uses_by_now_is_not_an_owner(tmp_path: Path) -> None:
    lock_of(tmp_path, os.getpid())
    assert locks.release_stranded(stack(), "rdc-a", tmp_path)
