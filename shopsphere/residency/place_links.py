"""The links of a site to places outside its jurisdiction: every frame that passes while customers order."""

from __future__ import annotations

import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address

from shopsphere.residency.place import Seen
from shopsphere.residency.search import Anchored, Found, Search

FLOWS_AT_ONCE = 256
"""Flows that are followed side by side; the one that was silent longest is finished when another begins."""
_ALL_PROTOCOLS, _IPV4 = 0x0003, 0x0800
_LONGEST_FRAME = 1 << 18
_BUFFER = 1 << 25
_FORCED_BUFFER = 33  # SO_RCVBUFFORCE
_PACKET_LEVEL, _STATISTICS = 263, 6
_TCP, _UDP = 6, 17
_ETHERNET, _IP, _PORTS = 14, 20, 8
_DISCARD = 9


@dataclass(frozen=True)
class Packet:
    """What a frame carries.

    Attributes:
        source: address of the sender.
        target: address of the receiver.
        flow: what tells its conversation and direction from others.
        payload: without the headers.
    """

    source: str
    target: str
    flow: str
    payload: bytes


def parse(frame: bytes) -> Packet | None:
    """Return what an Ethernet frame carries; None of a frame that is no IPv4."""
    if len(frame) < _ETHERNET + _IP or int.from_bytes(frame[12:14], "big") != _IPV4:
        return None
    packet = frame[_ETHERNET:]
    header, protocol = 4 * (packet[0] & 0xF), packet[9]
    source, target = str(IPv4Address(packet[12:16])), str(IPv4Address(packet[16:20]))
    inner = packet[header : int.from_bytes(packet[2:4], "big") or len(packet)]
    ports, payload = "", inner
    fragment = int.from_bytes(packet[6:8], "big") & 0x1FFF
    if protocol in {_TCP, _UDP} and len(inner) >= _PORTS and not fragment:
        one, other = struct.unpack("!HH", inner[:4])
        ports = f":{one} to {other}"
        payload = inner[4 * (inner[12] >> 4) :] if protocol == _TCP and len(inner) >= _IP else inner[_PORTS:]
    return Packet(source, target, f"{source} to {target}, protocol {protocol}{ports}", payload)


class Links:
    """Frames between this host and the addresses of other jurisdictions.

    What TLS hides stays hidden; so the report says of a link only that nothing was readable on it.

    Args:
        name: how reports call it.
        interface: of the host.
        foreign: addresses outside the site's jurisdiction: of other sites, of headquarters and of the edge.
        seconds: for how long.
    """

    kind = "links"
    shared = True

    def __init__(self, name: str, interface: str, foreign: Iterable[str], seconds: float) -> None:
        self.name, self._interface, self._seconds = name, interface, seconds
        self._foreign = frozenset(foreign)
        self._line: socket.socket | None = None

    @contextmanager
    def control(self, word: str) -> Iterator[str]:
        """Begin to listen, and send a datagram with the word to a foreign address's port for what is thrown away."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)) as line:
            line.setsockopt(socket.SOL_SOCKET, _FORCED_BUFFER, _BUFFER)
            line.bind((self._interface, 0))
            self._line = line
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(word.encode(), (min(self._foreign), _DISCARD))
            yield word

    def look(self, anchored: Anchored) -> Seen:
        """Look at what passes; a flow is one stream, so a token may be cut by its packets."""
        assert self._line is not None, "control comes first"  # noqa: S101 - the order of calls is the protocol's
        seen = look_at(self._frames(self._line), self._foreign, anchored)
        _, dropped = struct.unpack("II", self._line.getsockopt(_PACKET_LEVEL, _STATISTICS, 8))
        if dropped:
            seen.note(f"{dropped} frames came faster than they could be looked at")
        return seen

    def _frames(self, line: socket.socket) -> Iterator[bytes]:
        end = time.monotonic() + self._seconds
        while (left := end - time.monotonic()) > 0:
            line.settimeout(left)
            try:
                yield line.recv(_LONGEST_FRAME)
            except TimeoutError:
                return


def look_at(frames: Iterable[bytes], foreign: frozenset[str], anchored: Anchored) -> Seen:
    """Look at the frames that come from a foreign address or go to one, flow by flow."""
    seen = Seen()
    flows: OrderedDict[str, Search] = OrderedDict()

    def finish(flow: str, search: Search) -> None:
        found = search.finish()
        placed = {key: [f"{flow}: {each}" for each in kept] for key, kept in found.positions.items()}
        seen.found.add(Found(found.counts, placed, found.octets, found.opened, found.left_shut))
        seen.items += 1

    for frame in frames:
        packet = parse(frame)
        if packet is None or not {packet.source, packet.target} & foreign:
            continue
        if packet.flow not in flows and len(flows) >= FLOWS_AT_ONCE:
            finish(*flows.popitem(last=False))
        flows.setdefault(packet.flow, Search(anchored)).feed(packet.payload)
        flows.move_to_end(packet.flow)
    for flow, search in flows.items():
        finish(flow, search)
    return seen
