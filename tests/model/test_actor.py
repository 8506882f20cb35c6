"""Who is said to have acted."""

from __future__ import annotations

import ast
import os
import pwd
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from shopsphere.foundation import actor as module
from shopsphere.foundation.actor import actor
from shopsphere.foundation.paths import REPOSITORY

NAMES = {0: "root", 1000: "anna", 1001: "ben", 1002: "the-cfo"}
CLAIMS = ("LOGNAME", "USER", "LNAME", "USERNAME", "SUDO_USER")
pytestmark = pytest.mark.requirement("a record names who acted as the kernel knows it")


@pytest.mark.parametrize(
    ("uid", "login", "parents", "sudo", "named"),
    [
        (1000, "", [], "", "anna"),
        (1000, "1000", [], "", "anna"),
        (1000, "1001", [], "", "anna for ben"),
        (0, "1000", [], "", "root for anna"),
        (0, "4294967295", [0, 1001], "1001", "root for ben"),
        (0, "4294967295", [0, 0, 1001, 1000], "1002", "root for ben (SUDO_UID says the-cfo)"),
        (0, "1000", [], "1002", "root for anna (SUDO_UID says the-cfo)"),
        (0, "1000", [1001], "1001", "root for anna for ben"),
        (0, "", [], "1002", "root (SUDO_UID says the-cfo)"),
        (1000, "", [1001], "0", "anna"),  # only root's word counts
        (0, "", [], "x" * 5000, "root"),
        (0, "", [], "9" * 5000, "root"),
        (0, "", [0] * 100, "", "root"),
        (4711, "", [], "", "uid 4711"),
    ],
)
def test_who_acts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uid: int, login: str, parents: list[int], sudo: str, named: str
) -> None:
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "loginuid").write_text(login)
    for number, parent in enumerate(parents):
        (tmp_path / str(500 - number)).mkdir()
        status = f"Name:\tx\nPPid:\t{499 - number}\nUid:\t{parent}\t0\t0\t0\n"
        (tmp_path / str(500 - number) / "status").write_text(status)
    monkeypatch.setattr(module, "_PROCESSES", tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: uid)
    monkeypatch.setattr(os, "getppid", lambda: 500)
    monkeypatch.setattr(pwd, "getpwuid", lambda each: SimpleNamespace(pw_name=NAMES[each]))
    for variable in CLAIMS:
        monkeypatch.setenv(variable, "the-cfo")
    monkeypatch.setenv("SUDO_UID", sudo)
    assert actor() == f"{named} at {socket.gethostname()}"


def test_what_the_kernel_of_this_machine_tells_is_understood() -> None:
    assert actor().startswith(pwd.getpwuid(os.getuid()).pw_name)
    found = module._behind_root(0)  # noqa: SLF001 whoever started this test
    assert found is None or found > 0


ASKS = ("getpass", "getlogin", *CLAIMS, "SUDO_UID")


@pytest.mark.parametrize("house", ["cli", "runbooks", "shopsphere", "components"])
def test_nobody_else_asks_the_environment_who_acts(house: str) -> None:
    allowed = REPOSITORY / "shopsphere" / "foundation" / "actor.py"
    files = [each for each in sorted((REPOSITORY / house).rglob("*.py")) if each != allowed]
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            word = node.value if isinstance(node, ast.Constant) else getattr(node, "attr", getattr(node, "name", ""))
            assert word not in ASKS, f"{file} line {getattr(node, 'lineno', 0)}: only {allowed} says who acts"


SIGNS = {"runbooks/operate.py", "runbooks/drill/there_and_back.py", "cli/deploying.py", "cli/residency.py",
         "cli/deployment_record.py", "runbooks/rotation/run.py", "runbooks/zone_roll/run.py", "cli/witness.py",
         "runbooks/putting_in_place/run.py", "shopsphere/witness/access.py",
         "shopsphere/witness/operators.py"}  # fmt: skip
"""Files in which an operator's name is taken; what they make of it hands it on."""


def test_every_signature_of_an_operator_is_taken_in_a_place_that_is_known() -> None:
    found = {
        str(file.relative_to(REPOSITORY))
        for house in ("cli", "runbooks", "shopsphere")
        for file in (REPOSITORY / house).rglob("*.py")
        if any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"actor", "acting_as", "acting"}
            for node in ast.walk(ast.parse(file.read_text()))
        )
    }
    assert found == SIGNS
