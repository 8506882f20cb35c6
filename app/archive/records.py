"""Whether a WAL file holds a whole record that ends at a position: by its check sum, as PostgreSQL finds the end.

A file that is not full has zeros behind what was received, and a record may end in zeros, too. So how much of it there
is cannot be told from where the zeros begin. Layouts: PostgreSQL 15, access/xlog_internal.h and access/xlogrecord.h.
"""

from __future__ import annotations

from typing import IO

from app.archive.names import SEGMENT_BYTES

PAGE_BYTES = 8192
RECORD_HEADER = 24
_SHORT, _LONG = 24, 40
"""Headers of a page, and of the first one of a segment (bytes)."""
_ADDRESS, _REMAINING = slice(8, 16), slice(16, 20)
"""In a page's header: its position, and how much of a record of the page before follows."""
_SUM = slice(20, 24)
_LARGEST = 2**20
"""Of a record that is looked at (bytes); one page holds dozens of usual ones."""


def ends_whole_at(content: IO[bytes], position: int) -> bool:
    """Whether the file of a segment holds a whole record that ends at a position of its.

    Args:
        content: of the segment's file.
        position: in the database's log (bytes); after the segment's first page header.
    """
    begin = (position - 1) // SEGMENT_BYTES * SEGMENT_BYTES
    page = (position - 1) // PAGE_BYTES * PAGE_BYTES
    while page >= begin:
        header = _at(content, page - begin, _SHORT)
        if len(header) < _SHORT or _number(header[_ADDRESS]) != page:
            return False
        first = page + (_LONG if page == begin else _SHORT) + _aligned(_number(header[_REMAINING]))
        if first < min(position, page + PAGE_BYTES):
            return _is_reached(content, begin, first, position)
        page -= PAGE_BYTES  # all of this page is of a record that begins before it
    return False


def _is_reached(content: IO[bytes], begin: int, at: int, position: int) -> bool:
    """Whether the records from `at` on are whole, up to one that ends at `position`."""
    while at < position:
        length = _number(_at(content, at - begin, 4))  # it never lies across pages
        if not RECORD_HEADER <= length <= _LARGEST:
            return False
        record, end = _gathered(content, begin, at, length)
        if len(record) < length or _checked(record) != _number(record[_SUM]):
            return False
        at = _aligned(end)
        if at % PAGE_BYTES == 0 and at < position:
            at += _SHORT
    return at == position


def _gathered(content: IO[bytes], begin: int, at: int, length: int) -> tuple[bytes, int]:
    """Return a record without the page headers in it, and where it ends."""
    found = bytearray()
    while len(found) < length:
        if at % PAGE_BYTES == 0:
            at += _SHORT
        wanted = min(length - len(found), PAGE_BYTES - at % PAGE_BYTES)
        piece = _at(content, at - begin, wanted)
        found += piece
        at += wanted
        if len(piece) < wanted:
            break
    return bytes(found), at


def _at(content: IO[bytes], place: int, length: int) -> bytes:
    content.seek(place)
    return content.read(length)


def _checked(record: bytes) -> int:
    """Return CRC-32C of a record: its data first, then its header up to the sum."""
    value = 0xFFFFFFFF
    for byte in record[RECORD_HEADER:] + record[: _SUM.start]:
        value = _TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def _table() -> list[int]:
    found = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)  # noqa: PLW2901 Castagnoli's polynomial, reversed
        found.append(value)
    return found


_TABLE = _table()


def _number(little: bytes) -> int:
    return int.from_bytes(little, "little")


def _aligned(length: int) -> int:
    return -(-length // 8) * 8
