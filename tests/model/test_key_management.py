"""Secrets of production are kept under a key management, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from shopsphere.deploy import preparation, secrets
from shopsphere.deploy.key_management import NoKeyManagementError, require_key_management
from shopsphere.deploy.listening import Silent
from shopsphere.estate import stack_files
from shopsphere.estate.stack import Environment, StackId

pytestmark = pytest.mark.requirement("production refuses to keep secrets under a passphrase")

FRANKFURT = StackId("rdc-a", "frankfurt", "eu", Environment.PROD)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "Pulumi.prod-frankfurt.yaml"
    monkeypatch.setattr(stack_files, "project_file", lambda _stack: file)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "a-passphrase-that-somebody-wrote-down")
    return file


@pytest.mark.parametrize(
    "text", ["", "secretsprovider: passphrase\n", "encryptionsalt: v1:x\n", "secretsprovider: kms\n"]
)
def test_a_passphrase_is_refused_before_anything_is_written(
    file: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    file.write_text(text + "config: {shopsphere:context: x}\n")
    monkeypatch.setattr(secrets, "run", lambda *_, **__: pytest.fail("pulumi was started"))
    monkeypatch.setattr(preparation, "open_engine", lambda _stack: pytest.fail("the stack was opened"))
    with pytest.raises(NoKeyManagementError, match="awskms"):
        secrets.set_secrets(FRANKFURT, {"sessionSecret": "x"})
    with pytest.raises(NoKeyManagementError) as error:
        preparation.prepare_stack(FRANKFURT, Silent())
    assert "somebody" not in str(error.value)


def test_a_key_management_is_taken_and_the_lab_needs_none(file: Path) -> None:
    require_key_management(StackId("rdc-a", "frankfurt", "eu", Environment.LAB))
    file.write_text("secretsprovider: hashivault://shop-eu\n")
    require_key_management(FRANKFURT)
