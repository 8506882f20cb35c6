"""What the lab was asked to run, kept on disk so that the next command knows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from shopsphere.foundation.files import write_whole
from shopsphere.foundation.paths import lab_directory

HEADQUARTERS_REGION = "hq"


def _file() -> Path:
    return lab_directory() / "regions.json"


def regions() -> list[str]:
    """Regions that `lab up` was asked for since the last `lab down`."""
    return list(json.loads(_file().read_text())) if _file().exists() else []


def add_regions(names: Iterable[str]) -> list[str]:
    """Note that these regions are wanted too and return all that are."""
    wanted = sorted({*regions(), *names})
    write_whole(_file(), json.dumps(wanted))
    return wanted


def forget() -> None:
    """Note that nothing is wanted any more."""
    _file().unlink(missing_ok=True)
