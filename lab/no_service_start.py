"""Keeps packages from starting services on this machine while they are installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shopsphere.foundation.process import run

POLICY = Path("/usr/sbin/policy-rc.d")
OURS = "# shopsphere: no service starts while the lab's packages are installed"
FORBID_ALL = f"#!/bin/sh\n{OURS}\nexit 101\n"


@contextmanager
def services_forbidden(policy: Path = POLICY) -> Iterator[None]:
    """Forbid maintainer scripts any service start (Debian's policy-rc.d, answer 101) and restore what was there.

    A run that was killed leaves our file and the owner's saved one behind; the next run puts that right.
    """
    saved = policy.with_name(policy.name + ".before-shopsphere")
    if not saved.exists() and policy.exists() and OURS not in policy.read_text():
        shutil.move(policy, saved)
    policy.write_text(FORBID_ALL)
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink(missing_ok=True)
        if saved.exists():
            shutil.move(saved, policy)


def units_of(packages: Sequence[str]) -> list[str]:
    """Name the systemd units that these installed packages carry."""
    if not packages:
        return []
    files = run(["dpkg-query", "--listfiles", *packages], seconds=60).stdout.splitlines()
    return sorted({Path(file).name for file in files if "/systemd/system/" in file and is_unit(Path(file))})


def is_unit(file: Path) -> bool:
    """Tell units that can be enabled by name from directories and templates."""
    return file.suffix in {".service", ".socket", ".timer"} and "@" not in file.name


def disable_units(packages: Sequence[str]) -> None:
    """Take back the enabling that Debian packages do, or the services would start at the next boot."""
    units = units_of(packages)
    if units and shutil.which("systemctl"):
        # Units that were never enabled make systemctl answer 1: that is what we want them to be.
        run(["systemctl", "--root=/", "disable", *units], check=False, seconds=60)
