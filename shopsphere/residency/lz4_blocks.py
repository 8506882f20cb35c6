"""One block of LZ4: bytes as they are, and repetitions of what came before."""

from __future__ import annotations

_SHORTEST_MATCH = 4
_MORE = 15
_FULL = 255


class BlockError(ValueError):
    """The bytes are no such block."""


def decode_block(octets: bytes, before: bytes, longest: int) -> bytes:
    """Return what a block holds.

    Args:
        octets: the block.
        before: what the blocks before it held; repetitions may reach into it.
        longest: bytes that a block of this frame may hold.

    Raises:
        BlockError: it is no block, or would hold more.
    """
    out = bytearray(before)
    start, at, end = len(before), 0, len(octets)
    try:
        while at < end:
            lengths = octets[at]
            literal, at = _length(octets, at + 1, lengths >> 4)
            if at + literal > end:
                raise BlockError("it ends within its letters")
            out += octets[at : at + literal]
            at += literal
            if at == end:
                break
            distance = octets[at] | octets[at + 1] << 8
            match, at = _length(octets, at + 2, lengths & _MORE)
            match += _SHORTEST_MATCH
            if not 0 < distance <= len(out) or len(out) - start + match > longest:
                raise BlockError("a repetition of what is not there, or a longer one than is allowed")
            source = out[-distance:][:match]
            out += (source * (match // len(source) + 1))[:match]
    except IndexError as error:
        raise BlockError("it ends within a length") from error
    if len(out) - start > longest:
        raise BlockError("it holds more than its frame allows")
    return bytes(out[start:])


def _length(octets: bytes, at: int, length: int) -> tuple[int, int]:
    """Return a length that may go on in the next bytes, and where it ends."""
    if length == _MORE:
        while True:
            length += octets[at]
            at += 1
            if octets[at - 1] != _FULL:
                break
    return length, at
