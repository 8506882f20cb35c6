"""Packets that a closed fence drops: sent into the host's own forwarding, and expected not to come out.

For the moment of a try there is a TUN interface. What is written there is for the kernel a packet that has arrived. The
route to its destination leads out of the same interface, so it is forwarded through the hook of the fence, and can be
read again. After two packets of the databases' port follows one of another port. Packets keep their order: when the
last one is there, the others are not going to come.
Requires /dev/net/tun and net.ipv4.ip_forward=1, as every node of Kubernetes has it. The addresses are of 192.0.2.0/24,
which is for documentation (RFC 5737) and belongs to nobody.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import select
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from runbooks.agent.proving import NoEffectError
from shopsphere.foundation.clock import SYSTEM_CLOCK
from shopsphere.foundation.errors import NoAnswerError
from shopsphere.foundation.process import run

DEVICE = "ss-fence-proof"
NETWORK = "192.0.2.2/31"
_FROM, _TO = IPv4Address("192.0.2.2"), IPv4Address("192.0.2.3")
_OTHER_PORT = 9
"""Discard (RFC 863): nobody closes or serves it."""
_TUN = Path("/dev/net/tun")
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_SYN = 0x02
_SECONDS = 1.0
"""For a packet to come out again: less than a millisecond on a host at rest."""


class NoPacketsError(NoAnswerError):
    """Packets cannot be tried on this host, or none comes out."""


class FencePackets:
    """Tries packets; one try at a time.

    Args:
        ports: of the databases.
    """

    def __init__(self, *ports: int) -> None:
        self._ports = ports

    def __call__(self) -> None:
        """Try packets while the fence is closed.

        Raises:
            NoEffectError: one of the databases' port came out.
            NoPacketsError: not even the other one did, or there is no such interface.
            CommandError: `ip` failed.
        """
        try:
            with _interface() as tun:
                for port in self._ports:
                    self._judge(port, self._try(tun, port))
        except OSError as error:
            raise _no_packets(f"{type(error).__name__}: {error}") from error

    def _judge(self, port: int, found: set[str]) -> None:
        if wrong := sorted(found - {"other"}):
            raise NoEffectError.build(
                "the kernel forwards packets that the closed fence should drop",
                expected=f"no packet to or from port {port}",
                found=f"one {' and one '.join(wrong)} that port",
                action="look at `nft list ruleset` on the host: the fence's chain is not asked",
            )
        if not found:
            raise _no_packets(f"no packet to port {_OTHER_PORT} within {_SECONDS:.0f} s")

    def _try(self, tun: int, port: int) -> set[str]:
        """Send the packets, and return which came out."""
        high = 32768 + secrets.randbelow(16384)  # another connection for the kernel at each try
        ports = {"to": (high, port), "from": (port, high), "other": (high, _OTHER_PORT)}
        for source, target in ports.values():
            os.write(tun, packet(source, target))
        names = {each: name for name, each in ports.items()}
        found: set[str] = set()
        ends = SYSTEM_CLOCK.monotonic() + _SECONDS
        while "other" not in found and (left := ends - SYSTEM_CLOCK.monotonic()) > 0:
            if select.select([tun], [], [], left)[0] and (name := names.get(_ports_of(os.read(tun, 2048)))):
                found.add(name)
        return found


@contextmanager
def _interface() -> Iterator[int]:
    """Make the interface, which ends with its descriptor, and return that."""
    tun = os.open(_TUN, os.O_RDWR | os.O_NONBLOCK)
    try:
        fcntl.ioctl(tun, _TUNSETIFF, struct.pack("16sH22x", DEVICE.encode(), _IFF_TUN | _IFF_NO_PI))
        run(["ip", "link", "set", DEVICE, "up"], seconds=2)
        run(["ip", "route", "replace", NETWORK, "dev", DEVICE], seconds=2)
        yield tun
    finally:
        os.close(tun)


def packet(source_port: int, target_port: int) -> bytes:
    """Return the first packet of a TCP connection, with the checksums that connection tracking looks at."""
    ends = _FROM.packed + _TO.packed
    segment = struct.pack("!HHIIBBHHH", source_port, target_port, secrets.randbits(32), 0, 5 << 4, _SYN, 1024, 0, 0)
    sum_of_segment = _checksum(ends + struct.pack("!BBH", 0, 6, len(segment)) + segment)
    segment = segment[:16] + struct.pack("!H", sum_of_segment) + segment[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0, 64, 6, 0) + ends
    return head[:10] + struct.pack("!H", _checksum(head)) + head[12:] + segment


def _ports_of(read: bytes) -> tuple[int, int]:
    """Return the ports of a packet of ours; of any other (0, 0)."""
    is_ours = len(read) >= 40 and read[0] == 0x45 and read[9] == 6 and read[12:20] == _FROM.packed + _TO.packed  # noqa: PLR2004 IPv4, TCP
    return struct.unpack("!HH", read[20:24]) if is_ours else (0, 0)


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _no_packets(found: str) -> Exception:
    return NoPacketsError.build(
        "the fence cannot be tried with packets on this host",
        expected=f"packets to port {_OTHER_PORT} that come out of {DEVICE} again",
        found=found,
        action="check /dev/net/tun, net.ipv4.ip_forward, and what else drops forwarded packets there",
    )
