"""The WAN switch: reads frames from every host's TAP and delivers them after the delay of the link."""

from __future__ import annotations

import heapq
import os
import select
import time
from dataclasses import dataclass

from lab.network.links import Links

_FRAME_BYTES = 65535
_BURST = 64
_MOST_QUEUED = 200_000
_IDLE_SECONDS = 1.0
_OVERHEAD_SECONDS = 0.00012  # reading, queueing and writing a frame, measured; taken off each way
_BROADCAST_BIT = 0x01


@dataclass(frozen=True)
class Port:
    """A host's end of the WAN."""

    host: str
    descriptor: int
    mac: bytes


class Switch:
    """Frames between ports, by destination address; broadcasts go to all.

    `select` is used rather than epoll because its time-out has microseconds: epoll's is in whole milliseconds.
    """

    def __init__(self, links: Links) -> None:
        self.links = links
        self.frames = 0
        self._by_descriptor: dict[int, Port] = {}
        self._by_mac: dict[bytes, Port] = {}
        self._queue: list[tuple[float, int, Port, bytes]] = []

    @property
    def ports(self) -> dict[str, Port]:
        """The attached ports by host name."""
        return {port.host: port for port in self._by_descriptor.values()}

    def attach(self, port: Port) -> None:
        """Take a port in; an older port of the same host is dropped."""
        self.detach(port.host)
        self._by_descriptor[port.descriptor] = port
        self._by_mac[port.mac] = port

    def detach(self, host: str) -> None:
        """Drop a host's port; frames under way to it are lost."""
        port = self.ports.get(host)
        if port:
            self._drop(port)

    def _drop(self, port: Port) -> None:
        del self._by_descriptor[port.descriptor]
        self._by_mac.pop(port.mac, None)
        os.close(port.descriptor)

    def turn(self, other_descriptors: list[int]) -> list[int]:
        """Deliver what is due, wait, read what came; return which of `other_descriptors` are readable."""
        self._deliver()
        wait = _IDLE_SECONDS
        if self._queue:
            wait = min(wait, max(0.0, self._queue[0][0] - time.monotonic()))
        readable, _, _ = select.select([*self._by_descriptor, *other_descriptors], [], [], wait)
        for descriptor in readable:
            port = self._by_descriptor.get(descriptor)
            if port:
                self._read(port)
        return [descriptor for descriptor in readable if descriptor in other_descriptors]

    def _read(self, port: Port) -> None:
        for _ in range(_BURST):
            try:
                frame = os.read(port.descriptor, _FRAME_BYTES)
            except BlockingIOError:
                return
            except OSError:  # the host lost power, and its interface went with it
                self._drop(port)
                return
            self._forward(port, frame)

    def _forward(self, source: Port, frame: bytes) -> None:
        if len(self._queue) >= _MOST_QUEUED:
            return
        if frame[0] & _BROADCAST_BIT:
            targets = [port for port in self._by_descriptor.values() if port is not source]
        else:
            target = self._by_mac.get(frame[:6])
            targets = [target] if target else []
        now = time.monotonic()
        for target in targets:
            delay = self.links.delay(source.host, target.host)
            if delay is not None:
                self.frames += 1
                heapq.heappush(self._queue, (now + max(0.0, delay - _OVERHEAD_SECONDS), self.frames, target, frame))

    def _deliver(self) -> None:
        while self._queue and self._queue[0][0] <= time.monotonic():
            _, _, port, frame = heapq.heappop(self._queue)
            if self._by_descriptor.get(port.descriptor) is not port:
                continue
            try:
                os.write(port.descriptor, frame)
            except BlockingIOError:
                continue  # a full receive queue loses frames, as a real one does
            except OSError:
                self._drop(port)
