"""What runs at an archive's host: retention, with the owner's secret; by the clock there, and in the lab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli import main as cli
from lab import archive_keeper
from lab.archive import keeper_component
from runbooks.pruning import owner, pruning
from runbooks.pruning.choosing import Keeping
from runbooks.restore import archives
from shopsphere.clients.archive import ArchiveAccess
from shopsphere.estate.archive_keys import AUTHORITY_FILE, OWNER, OWNER_FILE, READER
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.foundation.paths import REPOSITORY
from shopsphere.topology import load_topology

pytestmark = pytest.mark.requirement("retention runs at the archive's host, with a secret that no site has")
TOPOLOGY = load_topology()
UNITS = "root/etc/systemd/system"


def entries(unit: Path) -> dict[str, str]:
    lines = unit.read_text().replace("\\\n  ", "").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_an_owner_gets_a_timer_for_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["install-files", "archive-eu", "--into", str(tmp_path)]) == 0
    said = capfd.readouterr().err
    host = tmp_path / "archive-eu"
    service = entries(host / UNITS / "shopsphere-prune-backups.service")
    assert service["ExecStart"] == (
        "/opt/shopsphere/.venv/bin/shopsphere prune-backups eu --environment prod --execute"
    )
    assert (service["User"], service["CapabilityBoundingSet"], service["Type"]) == ("shopsphere-archive", "", "oneshot")
    assert (service["NoNewPrivileges"], service["ProtectSystem"]) == ("yes", "strict")
    timer = entries(host / UNITS / "shopsphere-prune-backups.timer")
    assert (timer["OnCalendar"], timer["Persistent"]) == ("*-*-* 05:00:00 UTC", "yes")
    assert "systemctl enable --now shopsphere-prune-backups.timer" in said
    assert (
        "0640  root:shopsphere-archive  /etc/shopsphere/archive/owner.secret"
        in (host / "must-be-there.txt").read_text()
    )
    assert not [each for each in host.rglob("*secret*") if each.is_file()], "no secret is written here"


def test_no_other_host_gets_it(tmp_path: Path) -> None:
    for target in ("operations", "frankfurt"):
        assert cli.run(["install-files", target, "--into", str(tmp_path)]) == 0
    assert not list(tmp_path.rglob("*prune*"))
    assert cli.run(["install-files", "archive-moon", "--into", str(tmp_path)]) != 0


def test_its_owner_is_who_removes_and_days_come_from_topology(tmp_path: Path) -> None:
    (tmp_path / "owner.secret").write_text("s\n")
    buckets, keeping = owner.owned_buckets(TOPOLOGY.jurisdictions["eu"], Environment.PROD, tmp_path)
    assert [each.name for each in buckets] == [
        "commerce-frankfurt", "ledger-frankfurt", "commerce-dublin", "ledger-dublin",
    ]  # fmt: skip
    assert keeping == Keeping(days=30, base_backups=3)
    eu = TOPOLOGY.jurisdictions["eu"]
    assert eu.archive
    short = eu.model_copy(update={"archive": eu.archive.model_copy(update={"keep_days": 5, "keep_base_backups": 9})})
    assert owner.owned_buckets(short, Environment.PROD, tmp_path)[1] == Keeping(days=5, base_backups=9)


def test_a_machine_without_the_secret_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(ShopSphereError, match=r"owner\.secret: this is for the archive's own host"):
        owner.owned_buckets(TOPOLOGY.jurisdictions["eu"], Environment.PROD, tmp_path)
    without = TOPOLOGY.jurisdictions["eu"].model_copy(update={"archive": None})
    with pytest.raises(ShopSphereError, match="eu has no archive"):
        owner.owned_buckets(without, Environment.PROD, tmp_path)


@pytest.mark.parametrize("words", [[], ["--execute"]])
def test_the_command_removes_only_when_it_is_told_to(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[bool] = []

    def prune_all(_buckets: Any, keeping: Keeping, _now: Any, *, execute: bool) -> Iterator[str]:
        asked.append(execute)
        yield f"{keeping.days} days"

    monkeypatch.setattr(owner, "owned_buckets", lambda *_: ([], Keeping(4, 2)))
    monkeypatch.setattr(pruning, "prune_all", prune_all)
    monkeypatch.setattr("cli.common.lab_is_here", lambda: True)
    assert cli.run(["prune-backups", "eu", *words]) == 0
    assert asked == [bool(words)]
    assert capsys.readouterr().out == "4 days\n"
    assert cli.run(["prune-backups", "moon", *words]) != 0


def test_the_lab_runs_it_in_the_program_that_its_archives_have_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SHOPSPHERE_LAB", str(tmp_path))
    eu = TOPOLOGY.jurisdictions["eu"]
    component = keeper_component(eu)
    assert component.command[1:] == ("-m", "lab.archive_keeper", "eu")
    archive_keeper.remove_old(eu)
    assert "owner.secret" in capsys.readouterr().out, "what keeps it from it is said, and ends nothing"
    (tmp_path / "pki/archive-eu").mkdir(parents=True)
    (tmp_path / "pki/archive-eu/owner.secret").write_text("s\n")
    executed: list[bool] = []

    def prune_all(buckets: Any, *_: Any, execute: bool) -> Iterator[str]:
        executed.append(execute)
        yield f"{len(buckets)} buckets"

    monkeypatch.setattr(archive_keeper, "prune_all", prune_all)
    archive_keeper.remove_old(eu)
    assert capsys.readouterr().out == "4 buckets\n"
    assert executed == [True]


@pytest.mark.requirement("the way to an archive is made in one place, for its owner and for operators")
@pytest.mark.parametrize("has_authority", [True, False])
def test_owner_and_operator_go_the_same_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_authority: bool
) -> None:
    archive = TOPOLOGY.jurisdictions["eu"].archive
    assert archive
    folder = tmp_path / "archive-eu"
    folder.mkdir()
    if has_authority:
        (folder / AUTHORITY_FILE).write_text("PEM")
    monkeypatch.setattr(archives, "keys_folder", lambda *_: folder)
    accounts = {READER: folder / f"{READER}.secret", OWNER: folder / OWNER_FILE}
    for account, file in accounts.items():
        file.write_text(f" of {account}\n")
    monkeypatch.setattr(archives, "Bucket", lambda access, _: access)
    monkeypatch.setattr(owner, "OwnedBucket", lambda access, _: access)
    operators: Any = archives.bucket_of(TOPOLOGY, TOPOLOGY.pair("rdc-a"), Environment.PROD, "ledger-dublin")
    owners: Any = owner.owned_buckets(TOPOLOGY.jurisdictions["eu"], Environment.PROD, folder)[0][0]
    for access, account in ((operators, READER), (owners, OWNER)):
        assert access == ArchiveAccess(
            f"https://{archive.address}:8443",
            account,
            f"of {account}",
            folder / AUTHORITY_FILE if has_authority else None,
        )


def test_nobody_else_makes_one() -> None:
    makers = [
        str(file.relative_to(REPOSITORY))
        for top in ("cli", "runbooks", "shopsphere")
        for file in sorted((REPOSITORY / top).rglob("*.py"))
        if "ArchiveAccess(" in file.read_text()
    ]
    assert makers == []
