"""The command under test, run as a person would."""

import sys
from pathlib import Path

from shopsphere.foundation.paths import REPOSITORY
from shopsphere.foundation.process import run


def shopsphere(*words, check=True, seconds=600):
    command = [Path(sys.executable).parent / "shopsphere", *words]
    return run(command, check=check, seconds=seconds, cwd=REPOSITORY)
