"""What the edge holds: zones of the DNS authorities, and the memory of the CDN's cache."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from shopsphere.clients.powerdns import DnsAuthority
from shopsphere.foundation.errors import ShopSphereError
from shopsphere.residency.place import PIECE, Seen, in_pieces
from shopsphere.residency.search import Anchored

_REQUEST_SECONDS = 5.0
_MAPPING = re.compile(r"(?P<begin>[0-9a-f]+)-(?P<end>[0-9a-f]+) (?P<rights>\S{4}) \S+ \S+ \S+\s*(?P<file>.*)")
_LONGEST_MAPPING = 1 << 32


class NoProcessError(ShopSphereError):
    """A program whose memory is to be looked at does not run."""


class Zones:
    """All zones of a DNS authority, by its API.

    Args:
        name: how reports call it.
        authority: makes the client.
        domain: the zone that must be there.
    """

    kind = "DNS"
    shared = True

    def __init__(self, name: str, authority: Callable[[], DnsAuthority], domain: str) -> None:
        self.name, self._authority, self._domain = name, authority, domain

    @contextmanager
    def control(self, _word: str) -> Iterator[str]:
        """Rely on the zone's own name: a record of ours would be drift."""
        yield self._domain

    def look(self, anchored: Anchored) -> Seen:
        """Look at every rrset."""
        seen = Seen()
        authority = self._authority()
        for zone in authority.zone_names():
            for rrset in authority.rrsets(zone) or ():
                text = f"{zone} {rrset.name} {rrset.type} {rrset}"
                seen.look(f"{rrset.name} {rrset.type}", in_pieces(text), anchored)
        return seen


class CacheMemory:
    """The memory of a cache's processes: objects, the requests they answer, and the log that is in memory too.

    Args:
        name: how reports call it.
        programs: names of processes, as the kernel has them.
        port: of loopback, where the cache takes requests with a PROXY header.
        host: of a request.
        processes: the proc file system of the host that the cache runs on.
    """

    kind = "cache"
    shared = True

    def __init__(
        self, name: str, programs: tuple[str, ...], port: int, host: str, *, processes: Path = Path("/proc")
    ) -> None:
        self.name, self._programs, self._port, self._host = name, programs, port, host
        self._processes = processes

    @contextmanager
    def control(self, word: str) -> Iterator[str]:
        """Ask the cache for a path with the word."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=_REQUEST_SECONDS) as line:
            head = f"GET /static/{word} HTTP/1.1\r\nHost: {self._host}\r\nConnection: close\r\n\r\n"
            line.sendall(b"PROXY UNKNOWN\r\n" + head.encode())
            line.recv(PIECE)
        yield word

    def look(self, anchored: Anchored) -> Seen:
        """Look at every piece of memory that the processes can write to, and read.

        Raises:
            NoProcessError: none of them runs.
        """
        seen = Seen()
        found = [each for each in self._processes.glob("[0-9]*") if _name_of(each) in self._programs]
        if not found:
            raise NoProcessError.build(
                f"{self.name}: nothing to look at",
                expected=f"a process named {' or '.join(self._programs)} on this host",
                found="none",
                action="start the cache, or look at its component's log",
            )
        for process in found:
            self._look_at(process, anchored, seen)
        return seen

    def _look_at(self, process: Path, anchored: Anchored, seen: Seen) -> None:
        try:
            mappings = (process / "maps").read_text().splitlines()
            with (process / "mem").open("rb", buffering=0) as memory:
                for line in mappings:
                    if (mapping := _MAPPING.fullmatch(line)) and mapping["rights"].startswith("rw"):
                        begin, end = int(mapping["begin"], 16), int(mapping["end"], 16)
                        where = f"{_name_of(process)} {process.name} at {begin:x} {mapping['file']}".rstrip()
                        seen.look(where, _memory(memory.fileno(), begin, end), anchored)
        except OSError as error:
            seen.note(f"process {process.name}: {error.strerror or error}")


def _name_of(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return ""  # it has ended


def _memory(descriptor: int, begin: int, end: int) -> Iterator[bytes]:
    at = begin
    while at < min(end, begin + _LONGEST_MAPPING):
        piece = os.pread(descriptor, min(PIECE, end - at), at)
        if not piece:
            return
        yield piece
        at += len(piece)
