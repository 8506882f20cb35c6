"""A preview leaves nothing behind: what it works with is in a temporary folder, and its secrets are stand-ins."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from shopsphere.deploy import opening
from shopsphere.deploy.drafts import Draft, drafted
from shopsphere.estate import stack_files
from shopsphere.estate.pair_secrets import PAIR_SECRET_NAMES
from shopsphere.estate.stack import Environment, StackId, edge_stack, site_stack
from shopsphere.estate.stack_files import STAND_IN
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.topology import load_topology

TOPOLOGY = load_topology()
LAB = site_stack(TOPOLOGY, "frankfurt", Environment.LAB)
PROD = site_stack(TOPOLOGY, "frankfurt", Environment.PROD)
MADE_IN_THE_LAB = sorted(
    [*PAIR_SECRET_NAMES, "gatewayTlsCertificate", "gatewayTlsKey", "commerceArchiveSecret", "ledgerArchiveSecret"]
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder, a lab folder and a cache of their own; nothing was ever set up."""
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path / "lab"))
    monkeypatch.setenv("SHOPSPHERE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(StackId, "folder", property(lambda stack: tmp_path / stack.region))
    project = {"name": "rdc-a", "runtime": {"name": "python", "options": {"virtualenv": "../venv"}}}
    for region in ("rdc-a", "edge"):
        (tmp_path / region).mkdir()
        (tmp_path / region / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        (tmp_path / region / "__main__.py").write_text("")
    for name in ("rdc-a/lab-frankfurt", "edge/lab"):
        (tmp_path / f"{name}.base.yaml").write_text("config: {'shopsphere:context': here}\n")
    return tmp_path


def files(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: contents of files, targets of links."""
    return {
        str(file.relative_to(folder)): str(file.readlink()) if file.is_symlink() else file.read_bytes()
        for file in folder.rglob("*")
        if file.is_symlink() or file.is_file()
    }


def config_of(draft: Draft) -> dict[str, object]:
    document = yaml.safe_load(draft.config_file.read_text())
    assert isinstance(document, dict)
    config: dict[str, object] = document["config"]
    return config


@pytest.mark.requirement("`preview` of a stack that was never set up leaves no file behind")
def test_a_stack_that_was_never_set_up_is_previewed_from_nothing(home: Path) -> None:
    before = files(home)
    with drafted(TOPOLOGY, LAB, is_set_up=False) as draft:
        config = config_of(draft)
        assert sorted(draft.stand_ins) == MADE_IN_THE_LAB
        assert all(config[f"shopsphere:{name}"] == STAND_IN for name in MADE_IN_THE_LAB)
        assert config["shopsphere:context"] == "here"
        assert config["shopsphere:kubeconfig"] == str(home / "lab" / "kubeconfigs" / "frankfurt.yaml")
        assert draft.variables["PULUMI_BACKEND_URL"] == f"file://{draft.folder}/state"
        assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in draft.variables
        assert stat.S_IMODE(draft.folder.stat().st_mode) == 0o700
        place = draft.folder
    assert not place.exists()
    assert files(home) == before
    assert not (home / "lab").exists()


def test_its_program_is_the_projects_own(home: Path) -> None:
    with drafted(TOPOLOGY, LAB, is_set_up=False) as draft:
        project = yaml.safe_load((draft.folder / "Pulumi.yaml").read_text())
        assert (draft.folder / project["main"]).resolve() == home / "rdc-a"
        assert project["runtime"]["options"]["virtualenv"] == str(home / "venv")
        assert project["name"] == "rdc-a"


def test_a_stack_that_is_set_up_is_previewed_with_its_state_and_what_up_would_write(home: Path) -> None:
    stack_files.write_machine_file(LAB)
    secrets = {f"shopsphere:{name}": {"secure": "v1:x"} for name in MADE_IN_THE_LAB}
    document = {"encryptionsalt": "v1:salt", "config": {**secrets, "shopsphere:removed": 1}}
    stack_files.machine_file(LAB).write_text(yaml.safe_dump(document))
    before = files(home)
    with drafted(TOPOLOGY, LAB, is_set_up=True) as draft:
        assert draft.folder == home / "rdc-a"
        assert draft.config_file.parent != draft.folder
        assert yaml.safe_load(draft.config_file.read_text())["encryptionsalt"] == "v1:salt"
        assert config_of(draft) == {
            "shopsphere:context": "here",
            "shopsphere:kubeconfig": str(home / "lab" / "kubeconfigs" / "frankfurt.yaml"),
            "shopsphere:cdnAuthority": STAND_IN,
            "shopsphere:archiveRecipient": STAND_IN,
            "shopsphere:archiveAuthority": STAND_IN,
            **secrets,
        }
        assert draft.stand_ins == ()
        assert draft.variables["PULUMI_CONFIG_PASSPHRASE_FILE"].endswith("/passphrases/eu")
    assert files(home) == before


def test_a_stack_that_lost_one_secret_is_previewed_with_a_stand_in_for_it(home: Path) -> None:
    stack_files.write_machine_file(LAB)
    secrets = {f"shopsphere:{name}": {"secure": "v1:x"} for name in MADE_IN_THE_LAB if name != "sessionSecret"}
    stack_files.machine_file(LAB).write_text(yaml.safe_dump({"encryptionsalt": "v1:salt", "config": secrets}))
    with drafted(TOPOLOGY, LAB, is_set_up=True) as draft:
        assert draft.stand_ins == ("sessionSecret",)
        assert config_of(draft)["shopsphere:commercePassword"] == {"secure": "v1:x"}


def test_secrets_that_nothing_can_decrypt_yet_have_stand_ins_too(home: Path) -> None:
    config = {"shopsphere:registryPassword": {"secure": "v1:x"}, "shopsphere:sessionSecret": "REPLACE_ME"}
    document = {"secretsprovider": "awskms://key", "encryptedkey": "x", "config": config}
    file = home / "rdc-a" / "Pulumi.prod-frankfurt.yaml"
    file.write_text(yaml.safe_dump(document))
    with drafted(TOPOLOGY, PROD, is_set_up=False) as draft:
        assert sorted(draft.stand_ins) == sorted([*PAIR_SECRET_NAMES, "registryPassword"])
        assert set(yaml.safe_load(draft.config_file.read_text())) == {"config"}
    assert yaml.safe_load(file.read_text()) == document


def test_a_production_stack_that_is_not_filled_in_is_refused(home: Path) -> None:
    (home / "rdc-a" / "Pulumi.prod-frankfurt.yaml").write_text("config: {'shopsphere:context': REPLACE_ME}\n")
    refused = pytest.raises(ShopSphereError, match=r"config\.shopsphere:context")
    with refused, drafted(TOPOLOGY, PROD, is_set_up=False):
        pass


def test_the_edge_has_no_secrets_of_its_own(home: Path) -> None:
    with drafted(TOPOLOGY, edge_stack(Environment.LAB), is_set_up=False) as draft:
        assert draft.stand_ins == ()


def test_whether_a_lab_stack_is_set_up_is_asked_without_making_anything(home: Path) -> None:
    assert not opening.is_set_up(LAB)
    assert not (home / "lab").exists()
    state = home / "lab" / "pulumi" / "state" / "eu" / ".pulumi" / "stacks" / "rdc-a"
    state.mkdir(parents=True)
    (state / "lab-frankfurt.json").write_text("{}")
    assert opening.is_set_up(LAB)
    assert not opening.is_set_up(site_stack(TOPOLOGY, "dublin", Environment.LAB))
