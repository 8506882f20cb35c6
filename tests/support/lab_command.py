"""The command under test, run as a person would."""

import sys
from pathlib import Path

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import Result, run


def shopsphere(*words: str, check: bool = True, seconds: float = 600) -> Result:
    command: list[str | Path] = [Path(sys.executable).parent / "shopsphere", *words]
    return run(command, check=check, seconds=seconds, cwd=REPOSITORY)


def as_controller(name: str) -> str:
    """Return the option with which kubectl writes as a controller of the cluster: only these make pods."""
    return f"--as=system:serviceaccount:kube-system:{name}-controller"
