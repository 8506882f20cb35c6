"""Who is said to have acted."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path
from types import SimpleNamespace

import pytest

from shopsphere.foundation import actor as module
from shopsphere.foundation.actor import actor

NAMES = {0: "root", 1000: "anna", 1001: "ben"}


@pytest.mark.requirement("a record names who acted as the kernel knows it")
@pytest.mark.parametrize(
    ("uid", "login", "sudo", "named"),
    [
        (1000, "", "", "anna"),
        (1000, "1000", "", "anna"),
        (0, "1000", "", "root for anna"),
        (0, "4294967295", "1001", "root for ben"),
        (0, "1000", "1001", "root for anna for ben"),
        (1000, "", "0", "anna"),  # only root's word counts
        (0, "", "x" * 5000, "root"),
        (0, "", "9" * 5000, "root"),
        (4711, "", "", "uid 4711"),
    ],
)
def test_who_acts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, uid: int, login: str, sudo: str, named: str) -> None:
    (tmp_path / "loginuid").write_text(login)
    monkeypatch.setattr(module, "_LOGIN", tmp_path / "loginuid")
    monkeypatch.setattr(os, "getuid", lambda: uid)
    monkeypatch.setattr(pwd, "getpwuid", lambda each: SimpleNamespace(pw_name=NAMES[each]))
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(variable, "the-cfo")
    monkeypatch.setenv("SUDO_UID", sudo)
    assert actor() == f"{named} at {socket.gethostname()}"
