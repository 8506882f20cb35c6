"""A folder in memory, where there is such a thing: for tests that make files durable thousands of times."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")


@contextmanager
def memory_disk() -> Iterator[Path]:
    """Yield an empty folder that is gone afterwards; where no file system is in memory, an ordinary one."""
    place = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="shopsphere-", dir=place) as folder:
        yield Path(folder)
