"""Acts at a witness that are no runbook: what the audit log has of them, and what its head says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbooks.audit_trail import FILE
from runbooks.engine.audit import verify_chain
from runbooks.noted_act import noted_act
from shopsphere.estate.paths import records_directory
from shopsphere.estate.stack import Environment
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.witness.heads import AuditHead, AuditShelf
from shopsphere.witness.store import Store

pytestmark = pytest.mark.requirement("what administrators do at a witness is in the audit log")
FACTS = {"runbook": "witness tend", "pair": "rdc-a", "actor": "root: anna at desk"}


class Shelf(AuditShelf):
    """Keeps heads in memory, or lets nobody in."""

    def __init__(self, *, refuses: bool = False) -> None:
        super().__init__(Store([]), "/", "rdc-a")
        self.kept: list[AuditHead] = []
        self._refuses = refuses

    def keep(self, head: AuditHead) -> None:
        if self._refuses:
            raise ShopSphereError("nobody answers")
        self.kept.append(head)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("SHOPSPHERE_RECORDS", str(tmp_path))
    folder = records_directory(Environment.PROD)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / FILE


def _events(log: Path) -> list[object]:
    return [json.loads(line)["event"] for line in log.read_text().splitlines()]


def test_begin_and_end_are_noted_and_the_head_is_kept_when_it_is_over(log: Path) -> None:
    shelf = Shelf()
    with noted_act(Environment.PROD, shelf, FACTS):
        assert _events(log) == ["begin"]
        assert not shelf.kept, "the act may be what lets anybody in"
    assert _events(log) == ["begin", "end"]
    assert [json.loads(line)["actor"] for line in log.read_text().splitlines()] == [FACTS["actor"]] * 2
    assert [each.count for each in shelf.kept] == [2]
    assert verify_chain(log, head=shelf.kept[0].head) == 2


def test_one_that_is_stopped_is_noted_as_such(log: Path) -> None:
    shelf = Shelf()
    with pytest.raises(ValueError, match="refused"), noted_act(Environment.PROD, shelf, FACTS):
        raise ValueError("refused")
    assert _events(log) == ["begin", "stop"]
    assert [each.count for each in shelf.kept] == [2]


def test_a_head_that_is_not_kept_is_said(log: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with noted_act(Environment.PROD, Shelf(refuses=True), FACTS):
        pass
    assert "is not kept at the witness of rdc-a" in "".join(capfd.readouterr())
    assert _events(log) == ["begin", "end"]


@pytest.mark.parametrize("place", ["file/below", "could-be-made"])
def test_a_machine_without_records_does_it_and_says_that_nothing_is_noted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], place: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SHOPSPHERE_RECORDS", str(tmp_path / place))
    shelf, done = Shelf(), False
    with noted_act(Environment.PROD, shelf, FACTS):
        done = True
    said = "".join(capfd.readouterr())
    assert done
    assert said.count("this is not in the audit log") == 1
    assert str(tmp_path / place) in said
    assert not shelf.kept
    assert not (tmp_path / place).exists()
