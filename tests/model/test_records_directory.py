"""Where journals, drill records and the audit log are kept: the lab's in the lab, production's not."""

from __future__ import annotations

from pathlib import Path

import pytest

from shopsphere.estate.paths import records_directory, require_records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("SHOPSPHERE_RECORDS", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SHOPSPHERE_LAB", "/lab")
    monkeypatch.setenv("HOME", "/home/anna")
    return monkeypatch


@pytest.mark.requirement("what is left on record of production is not the lab's, and outlives it")
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "/var/lib/shopsphere-records/prod/runbooks"),
        ({"XDG_STATE_HOME": "/state"}, "/var/lib/shopsphere-records/prod/runbooks"),
        ({"SHOPSPHERE_RECORDS": "/mnt/records"}, "/mnt/records"),
        ({"SHOPSPHERE_RECORDS": "~/records"}, "/home/anna/records"),
    ],
)
def test_production(clean: pytest.MonkeyPatch, variables: dict[str, str], expected: str) -> None:
    for name, value in variables.items():
        clean.setenv(name, value)
    assert records_directory(Environment.PROD) == Path(expected)


def test_the_labs_are_where_they_were(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("SHOPSPHERE_RECORDS", "/mnt/records")
    clean.setenv("XDG_STATE_HOME", "/state")
    assert records_directory(Environment.LAB) == Path("/lab/runbooks")


def test_a_folder_that_cannot_be_made_is_said(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    clean.setenv("SHOPSPHERE_RECORDS", str(tmp_path / "file" / "records"))
    with pytest.raises(ShopSphereError, match="every operator of this machine may write"):
        require_records_directory(Environment.PROD)


def test_the_folder_is_made(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean.setenv("SHOPSPHERE_RECORDS", str(tmp_path / "a" / "b"))
    assert require_records_directory(Environment.PROD) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()
