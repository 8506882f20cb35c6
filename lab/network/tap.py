"""TAP devices in another process's network namespace."""

from __future__ import annotations

import ctypes
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_TUNSETIFF = 0x400454CA
_IFF_TAP = 0x0002
_IFF_NO_PI = 0x1000
_CLONE_NEWNET = 0x40000000
_MTU = 9000
_LIBC = ctypes.CDLL(None, use_errno=True)


@contextmanager
def network_namespace_of(pid: int) -> Iterator[None]:
    """Run the block inside the network namespace of process `pid`; other threads stay where they are."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    try:
        _set_namespace(other)
        try:
            yield
        finally:
            _set_namespace(own)
    finally:
        os.close(own)
        os.close(other)


def _set_namespace(descriptor: int) -> None:
    if _LIBC.setns(descriptor, _CLONE_NEWNET) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def open_tap(*, pid: int, interface: str, mac: str, addresses: Sequence[str], default_route: bool) -> int:
    """Create `interface` in the network namespace of `pid`, give it its addresses, and return its descriptor.

    Args:
        pid: a living process in that namespace.
        interface: at most 15 characters.
        mac: Ethernet address.
        addresses: with prefix length, `10.99.0.11/16`.
        default_route: send everything without another route here; kube-proxy translates service addresses only
            in packets that have a route.

    Raises:
        OSError: the process is gone or the kernel refuses a TAP.
    """
    with network_namespace_of(pid):
        descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(descriptor, _TUNSETIFF, struct.pack("16sH", interface.encode(), _IFF_TAP | _IFF_NO_PI))
            _ip("link", "set", interface, "address", mac, "mtu", str(_MTU), "up")
            for address in addresses:
                _ip("address", "add", address, "dev", interface)
            if default_route:
                _ip("route", "add", "default", "dev", interface)
        except (OSError, subprocess.SubprocessError):
            os.close(descriptor)
            raise
    return descriptor


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)
