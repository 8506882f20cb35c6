"""What is inside compressed data: gzip, zlib and LZ4 frames, recognised by how they begin and opened piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

from shopsphere.residency.lz4_blocks import BlockError, decode_block

PIECE = 1 << 16
"""Bytes that come out of a container at once."""
_LZ4_LINKED = 1 << 16
"""Bytes before a block that it may refer to."""
_LZ4_HEADER = 7
"""Bytes of magic number, flags, block size and checksum."""
_LZ4_WORD = 4
"""Bytes of a size or a checksum."""
_LZ4_SIZES = range(4, 8)
"""By what number a frame says how long its blocks may be."""


class ContainerError(ValueError):
    """It only looked like a container, or is a damaged one."""


class Container(Protocol):
    """One container that is being opened."""

    ended: bool

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Yield what comes out of the next bytes; raises ContainerError."""


class Deflated:
    """A gzip member or a zlib stream."""

    def __init__(self, window_bits: int) -> None:
        self.ended = False
        self._opener = zlib.decompressobj(window_bits)

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Yield what comes out of the next bytes.

        Raises:
            ContainerError: they are no such data.
        """
        left = octets
        while not self.ended:
            try:
                piece = self._opener.decompress(left, PIECE)
            except zlib.error as error:
                raise ContainerError(str(error)) from error
            left, self.ended = self._opener.unconsumed_tail, self._opener.eof
            if piece:
                yield piece
            if not left and len(piece) < PIECE:
                return


class Lz4Frame:
    """An LZ4 frame, as its format's description (version 1.6) has it; blocks of at most 4 MiB."""

    def __init__(self) -> None:
        self.ended = False
        self._held, self._before = bytearray(), b""
        self._next: Callable[[], Iterator[bytes] | None] = self._header
        self._tail = self._longest = 0

    def feed(self, octets: bytes) -> Iterator[bytes]:
        """Yield what comes out of the next bytes.

        Raises:
            ContainerError: they are no such data.
        """
        self._held += octets
        while not self.ended and (found := self._next()) is not None:
            yield from found

    def _header(self) -> Iterator[bytes] | None:
        if len(self._held) < _LZ4_HEADER:
            return None
        flags, sizes = self._held[4], self._held[5]
        if flags >> 6 != 1 or sizes >> 4 & 7 not in _LZ4_SIZES or sizes & 0x8F:
            raise ContainerError("no header of an LZ4 frame")
        length = _LZ4_HEADER + (8 if flags & 8 else 0) + (_LZ4_WORD if flags & 1 else 0)
        if len(self._held) < length:
            return None
        self._tail = 4 if flags & 16 else 0
        self._longest = 1 << 8 + 2 * (sizes >> 4 & 7)
        del self._held[:length]
        self._next = self._block
        return iter(())

    def _block(self) -> Iterator[bytes] | None:
        if len(self._held) < _LZ4_WORD:
            return None
        size = int.from_bytes(self._held[:4], "little")
        stored, length = bool(size >> 31), size & 0x7FFFFFFF
        if length == 0:
            self.ended = True
            return iter(())
        if length > self._longest:
            raise ContainerError("a block longer than its frame allows")
        if len(self._held) < 4 + length + self._tail:
            return None
        octets = bytes(self._held[4 : 4 + length])
        del self._held[: 4 + length + self._tail]
        try:
            found = octets if stored else decode_block(octets, self._before, self._longest)
        except BlockError as error:
            raise ContainerError(str(error)) from error
        self._before = (self._before + found)[-_LZ4_LINKED:]
        return iter((found,))


BEGINNINGS: tuple[tuple[str, bytes, Callable[[], Container]], ...] = (
    ("gzip", b"\x1f\x8b\x08", lambda: Deflated(16 + zlib.MAX_WBITS)),
    *(("zlib", b"\x78" + level, lambda: Deflated(zlib.MAX_WBITS)) for level in (b"\x01", b"\x5e", b"\x9c", b"\xda")),
    ("LZ4", b"\x04\x22\x4d\x18", Lz4Frame),
)
"""How each kind begins, and what opens it."""
