"""Locks on files and folders that are open: the kernel frees them when their process ends, however it ends."""

from __future__ import annotations

import fcntl
from typing import IO


def try_lock(opened: int | IO[str]) -> bool:
    """Take the exclusive lock on an open file or folder without waiting; False while another holder has it.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
