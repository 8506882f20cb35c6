"""A network of this test process's own: it vanishes with the process, whatever happens."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shopsphere.foundation.process import run

_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, call: str) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{call}: {os.strerror(code)}")


def add_namespace(name: str) -> str:
    """Make a network namespace whose name has our process's number; one that is there was left by an earlier process.

    Returns:
        The name.
    """
    run(["ip", "netns", "delete", name], check=False)
    run(["ip", "netns", "add", name])
    return name


@contextmanager
def own_network(addresses: list[str]) -> Iterator[None]:
    """Move this thread, and the programs it starts from now on, into a new network with these addresses."""
    with Path("/proc/thread-self/ns/net").open() as before:
        _checked(_LIBC.unshare(_CLONE_NEWNET), "unshare")
        try:
            run(["ip", "link", "set", "lo", "up"])
            for address in addresses:
                run(["ip", "address", "add", f"{address}/16", "dev", "lo"])
            yield
        finally:
            _checked(_LIBC.setns(before.fileno(), _CLONE_NEWNET), "setns")
