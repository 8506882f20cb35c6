"""Where journals, drill records and the audit log are kept: the lab's in the lab, production's not."""

from __future__ import annotations

from pathlib import Path

import pytest

from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment


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
        ({}, "/home/anna/.local/state/shopsphere/prod/runbooks"),
        ({"XDG_STATE_HOME": ""}, "/home/anna/.local/state/shopsphere/prod/runbooks"),
        ({"XDG_STATE_HOME": "/state"}, "/state/shopsphere/prod/runbooks"),
        ({"XDG_STATE_HOME": "/state", "SHOPSPHERE_RECORDS": "/mnt/records"}, "/mnt/records"),
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
